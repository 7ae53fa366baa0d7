//! Has the user asked the command to stop?

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The exit code of what a signal interrupted, as shells have it for SIGINT.
pub(crate) const INTERRUPTED: i32 = 130;

/// A flag that Ctrl-C, or a signal that asks the process to end, raises.
#[derive(Clone, Debug)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Watches for signals from now on. The first asks to stop, so that rows are kept and servers
    /// stopped; a second ends this process on the spot, and what it started ends by itself.
    pub(crate) fn watch() -> Self {
        let flag = Arc::new(AtomicBool::new(false));
        let raised = Arc::clone(&flag);
        // It fails only if a handler is there already; then that one ends the process.
        let _ = ctrlc::set_handler(move || {
            // Relaxed: the flag stands for itself and orders nothing else.
            if raised.swap(true, Ordering::Relaxed) {
                process::exit(INTERRUPTED);
            }
        });
        Self(flag)
    }

    /// The flag itself, for what looks at it without knowing of signals.
    pub(crate) fn flag(&self) -> &AtomicBool {
        &self.0
    }

    /// Whether it was raised.
    pub(crate) fn is_raised(&self) -> bool {
        // Relaxed: as in `watch`.
        self.0.load(Ordering::Relaxed)
    }
}
