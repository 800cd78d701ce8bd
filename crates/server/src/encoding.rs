//! base64 by whatever instructions the processor has for it. What is as long as a token takes a quarter of the time.

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
pub(crate) use fast::{BASE64, BASE64_URL};
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub(crate) use plain::{BASE64, BASE64_URL};

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
mod fast {
    use std::sync::LazyLock;

    use base64::engine::{
        Simd,
        general_purpose::{NO_PAD, PAD},
    };

    /// RFC 4648 §4, with padding.
    pub(crate) static BASE64: LazyLock<Simd> = LazyLock::new(|| Simd::standard(PAD));
    /// RFC 4648 §5, without padding.
    pub(crate) static BASE64_URL: LazyLock<Simd> = LazyLock::new(|| Simd::url_safe(NO_PAD));
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod plain {
    use base64::engine::general_purpose::{GeneralPurpose, STANDARD, URL_SAFE_NO_PAD};

    /// RFC 4648 §4, with padding.
    pub(crate) static BASE64: GeneralPurpose = STANDARD;
    /// RFC 4648 §5, without padding.
    pub(crate) static BASE64_URL: GeneralPurpose = URL_SAFE_NO_PAD;
}
