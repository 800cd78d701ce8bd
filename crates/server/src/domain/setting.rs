//! Types of settings: how a patch changes a setting, and how the audit trail writes it.

use super::{
    Description, GrantableScopes, InvalidLabels, Labels, LabelsPatch, Name, ScopeSet, Timestamp,
};

/// The type of a setting of a service account.
pub trait Setting: Sized {
    /// What a patch may say of the setting.
    type Patch: Clone + std::fmt::Debug;

    /// The value after `patch`.
    fn patched(&self, patch: &Self::Patch) -> Result<Self, InvalidLabels>;

    /// The value in an audit event. `None`: there is no value.
    fn to_detail(&self) -> Option<String>;
}

/// A value that a patch replaces as a whole.
pub trait Scalar: Clone + std::fmt::Debug {
    /// The value in an audit event.
    fn to_text(&self) -> String;
}

impl Scalar for Name {
    fn to_text(&self) -> String {
        self.as_str().to_owned()
    }
}

impl Scalar for Description {
    fn to_text(&self) -> String {
        self.as_str().to_owned()
    }
}

impl Scalar for u32 {
    fn to_text(&self) -> String {
        self.to_string()
    }
}

impl Scalar for Timestamp {
    fn to_text(&self) -> String {
        self.to_string()
    }
}

/// A patch removes the value with `None`.
impl<T: Scalar> Setting for Option<T> {
    type Patch = Self;

    fn patched(&self, patch: &Self) -> Result<Self, InvalidLabels> {
        Ok(patch.clone())
    }

    fn to_detail(&self) -> Option<String> {
        self.as_ref().map(T::to_text)
    }
}

impl Setting for Name {
    type Patch = Self;

    fn patched(&self, patch: &Self) -> Result<Self, InvalidLabels> {
        Ok(patch.clone())
    }

    fn to_detail(&self) -> Option<String> {
        Some(self.to_text())
    }
}

impl Setting for ScopeSet {
    type Patch = Self;

    fn patched(&self, patch: &Self) -> Result<Self, InvalidLabels> {
        Ok(patch.clone())
    }

    fn to_detail(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Setting for GrantableScopes {
    type Patch = Self;

    fn patched(&self, patch: &Self) -> Result<Self, InvalidLabels> {
        Ok(patch.clone())
    }

    fn to_detail(&self) -> Option<String> {
        (!self.is_empty()).then(|| self.entries().to_string())
    }
}

/// A patch sets and removes single labels.
impl Setting for Labels {
    type Patch = LabelsPatch;

    fn patched(&self, patch: &LabelsPatch) -> Result<Self, InvalidLabels> {
        Labels::patched(self, patch)
    }

    fn to_detail(&self) -> Option<String> {
        (!self.is_empty()).then(|| self.to_text())
    }
}
