//! What does the system know of a process, and where may it run?

pub(crate) use native::{Cores, cpu_seconds};

use std::fs;

/// What a process has in memory.
pub(crate) fn resident_bytes(process_id: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process_id}/status"))
        .expect("the process runs, and this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse().ok());
    kibibytes.map(|kibibytes: u64| kibibytes * 1024).expect("a process that runs has memory")
}

#[cfg(target_os = "linux")]
mod native {
    use rustix::process::Pid;
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    use std::fs;
    use std::mem::MaybeUninit;

    /// The time that cores have spent for all threads of a process, in user and kernel mode.
    ///
    /// It is what `/proc/PID/stat` says in steps of 10 ms, in nanoseconds.
    pub(crate) fn cpu_seconds(process_id: u32) -> f64 {
        let process_id = libc::pid_t::try_from(process_id).expect("the system gave it");
        let mut clock = MaybeUninit::uninit();
        // SAFETY: the pointer is to a place for a clock's number, and nothing else is read or written.
        let outcome = unsafe { libc::clock_getcpuclockid(process_id, clock.as_mut_ptr()) };
        assert_eq!(outcome, 0, "the process runs, and may be looked at");
        let mut time = MaybeUninit::<libc::timespec>::uninit();
        // SAFETY: the call above succeeded, so the number is there; this one writes one time to where
        // the pointer points, which is a place for it.
        let outcome = unsafe { libc::clock_gettime(clock.assume_init(), time.as_mut_ptr()) };
        assert_eq!(outcome, 0, "the process still runs");
        // SAFETY: the call above succeeded, so the time is there.
        let time = unsafe { time.assume_init() };
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    }

    /// The cores that we may use.
    #[derive(Debug)]
    pub(crate) struct Cores {
        all: CpuSet,
        /// The server's and the client's, where there are two.
        apart: Option<(usize, usize)>,
    }

    impl Cores {
        pub(crate) fn new() -> Self {
            let all = sched_getaffinity(None).expect("every thread may run somewhere");
            let mut allowed = (0..CpuSet::MAX_CPU).filter(|core| all.is_set(*core));
            // The first and the last are seldom two halves of one core, and interrupts come to the
            // first.
            let apart = allowed.next().and_then(|first| Some((allowed.next_back()?, first)));
            Self { all, apart }
        }

        /// The server's and the client's, where there are two.
        pub(crate) fn apart(&self) -> Option<(usize, usize)> {
            self.apart
        }

        /// Keeps all threads of a process on the server's core, and this thread on the client's.
        pub(crate) fn part(&self, process_id: u32) {
            if let Some((server, client)) = self.apart {
                pin(process_id, &only(server));
                sched_setaffinity(None, &only(client)).expect("the core is one of ours");
            }
        }

        /// Lets both run anywhere.
        pub(crate) fn free(&self, process_id: u32) {
            pin(process_id, &self.all);
            sched_setaffinity(None, &self.all).expect("that is where we came from");
        }
    }

    fn only(core: usize) -> CpuSet {
        let mut set = CpuSet::new();
        set.set(core);
        set
    }

    fn pin(process_id: u32, cores: &CpuSet) {
        let threads = fs::read_dir(format!("/proc/{process_id}/task")).expect("the process runs");
        for thread in threads.flatten() {
            let thread = thread.file_name().into_string().ok().and_then(|name| name.parse().ok());
            let thread = thread.and_then(Pid::from_raw).expect("a thread is a number");
            // A thread that has ended meanwhile needs no core.
            let _outcome = sched_setaffinity(Some(thread), cores);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod native {
    pub(crate) fn cpu_seconds(_process_id: u32) -> f64 {
        panic!("the time of another process is asked for as Linux has it");
    }

    #[derive(Debug)]
    pub(crate) struct Cores;

    impl Cores {
        pub(crate) fn new() -> Self {
            Self
        }

        pub(crate) fn apart(&self) -> Option<(usize, usize)> {
            None
        }

        pub(crate) fn part(&self, _process_id: u32) {}

        pub(crate) fn free(&self, _process_id: u32) {}
    }
}
