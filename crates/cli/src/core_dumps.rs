//! Keeps secrets out of core dumps.

use rustix::process::{Resource, Rlimit, setrlimit};

/// Forbids core dumps of this process: its memory has secrets and keys. On Linux, other processes of the same user can
/// then not read its memory either.
pub(crate) fn forbid() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // Lowering a limit needs no privilege. Where it fails all the same, the process is no worse than before.
    let _ = setrlimit(Resource::Core, none);
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
