//! `[keys]`: the rotation of signing keys.

use serde::Deserialize;

/// The section as a file has it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KeysSettings {
    pub(super) rotation_days: Option<RotationDays>,
}

/// `rotation_days`. Every key is published until its tokens have expired, so a short time makes a long list of published keys.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct RotationDays(pub(super) u16);

impl RotationDays {
    const MIN: u16 = 30;
    const MAX: u16 = 3650;
}

impl TryFrom<i64> for RotationDays {
    type Error = String;

    fn try_from(days: i64) -> Result<Self, String> {
        let in_range = u16::try_from(days).ok();
        in_range
            .filter(|days| (Self::MIN..=Self::MAX).contains(days))
            .map(Self)
            .ok_or_else(|| format!("must be {} to {} days, not {days}", Self::MIN, Self::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signing_key_signs_for_a_month_to_ten_years() {
        for (days, fine) in [
            (29, false),
            (30, true),
            (90, true),
            (3650, true),
            (3651, false),
            (-1, false),
            (1 << 40, false),
        ] {
            assert_eq!(RotationDays::try_from(days).is_ok(), fine, "{days}");
        }
    }
}
