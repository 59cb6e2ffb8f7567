//! ONNX Runtime from 1.32 on collects what it calls telemetry as soon as it is loaded (the host's name and system as hashes and text,
//! in a file under the user's cache, for its maker): `with_telemetry(false)` comes too late for the first of it. The library asks the
//! environment, which a process cannot change safely for itself once it has threads, so it begins anew.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// The library collects nothing where this is set.
const SWITCH: &str = "ORT_DISABLE_TELEMETRY";

/// Begins the process anew with the switch set, unless somebody has set it. Returns if somebody has, or where that is not possible:
/// then it is forbidden only once the library is loaded, by [`lookout::detect::runtime`].
pub fn begin() {
    if std::env::var_os(SWITCH).is_some() {
        return;
    }
    let mut arguments = std::env::args_os();
    let mut again = Command::new("/proc/self/exe");
    if let Some(name) = arguments.next() {
        again.arg0(name);
    }
    // Comes back only if it failed.
    let _error = again.args(arguments).env(SWITCH, "1").exec();
}
