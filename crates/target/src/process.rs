//! What does the operating system know of a process?
//!
//! The one file that needs Linux: it reads `/proc` and asks the kernel to end children with their
//! parent. Elsewhere the same functions answer `None`, or do nothing and say so in their name's
//! doc; nothing else in the crate asks which system it runs on.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// Bytes of a process, as the kernel counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Resident {
    /// What is in memory now.
    pub(crate) rss_bytes: u64,
    /// The most that was in memory since the start, or since [`reset_peak`].
    pub(crate) rss_peak_bytes: Option<u64>,
}

/// The machine's setting for transparent huge pages, one of `always`, `madvise` and `never`;
/// `None` where there is no such setting.
pub fn transparent_huge_pages() -> Option<String> {
    system::transparent_huge_pages()
}

/// The time that processors have spent for this process, as [`Target::cpu_time`](crate::Target) is
/// counted: for telling whether the one who asks was the bottleneck.
pub fn own_cpu_time() -> Option<Duration> {
    cpu_time(std::process::id())
}

/// What a process has in memory; `None` where the system does not say.
pub(crate) fn resident(process_id: u32) -> Option<Resident> {
    system::resident(process_id)
}

/// Makes the peak of [`resident`] begin again at what is in memory now.
///
/// # Errors
/// Says why it did not, such as a process of another user.
pub(crate) fn reset_peak(process_id: u32) -> Result<(), String> {
    system::reset_peak(process_id)
}

/// The time that processors have spent for a process, in user and kernel mode together, in steps
/// of the kernel's clock tick (10 ms); `None` where the system does not say.
pub(crate) fn cpu_time(process_id: u32) -> Option<Duration> {
    system::cpu_time(process_id)
}

/// Whether `process_id` holds the other end of the TCP connection from `ours` to `theirs`.
///
/// A server tells its process id, but that may be one of another machine or container, where the
/// same number is another process here: only the owner of the socket is the server. `false` too
/// where the process may not be looked at.
pub(crate) fn serves(process_id: u32, ours: SocketAddr, theirs: SocketAddr) -> bool {
    system::serves(process_id, ours, theirs)
}

/// Arranges that the child of `command` is killed when the thread that spawns it ends, even when
/// this process is killed without warning. Where the system has no such thing, the child lives on
/// in that case.
///
/// The kernel watches the *thread* that spawned, not the process, so that thread must live as long
/// as the child is wanted.
pub(crate) fn die_with_spawning_thread(command: &mut Command) {
    system::die_with_spawning_thread(command);
}

/// Ends every process of the group that a child leads.
pub(crate) fn kill_group(leader_process_id: u32) {
    let leader = i32::try_from(leader_process_id).ok().and_then(rustix::process::Pid::from_raw);
    if let Some(leader) = leader {
        // An error means that the group is gone already, which is what is wanted.
        let _ = rustix::process::kill_process_group(leader, rustix::process::Signal::KILL);
    }
}

/// Whether a path is a file that may be executed.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::net::{IpAddr, SocketAddr};
    use std::os::unix::process::CommandExt;
    use std::process::Command;
    use std::time::Duration;

    use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};

    use super::Resident;

    pub(super) fn transparent_huge_pages() -> Option<String> {
        let text = fs::read_to_string("/sys/kernel/mm/transparent_hugepage/enabled").ok()?;
        let (_, rest) = text.split_once('[')?;
        Some(rest.split_once(']')?.0.to_owned())
    }

    pub(super) fn resident(process_id: u32) -> Option<Resident> {
        // The second number of `statm` is the resident pages.
        let statm = fs::read_to_string(format!("/proc/{process_id}/statm")).ok()?;
        let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
        let page_bytes = u64::try_from(rustix::param::page_size()).ok()?;
        Some(Resident { rss_bytes: pages * page_bytes, rss_peak_bytes: peak_bytes(process_id) })
    }

    fn peak_bytes(process_id: u32) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{process_id}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kibibytes * 1024)
    }

    pub(super) fn reset_peak(process_id: u32) -> Result<(), String> {
        let path = format!("/proc/{process_id}/clear_refs");
        fs::write(&path, "5").map_err(|error| format!("{path} cannot be written: {error}"))
    }

    pub(super) fn cpu_time(process_id: u32) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{process_id}/stat")).ok()?;
        // The second field is the program's name in parentheses and may hold anything, so count
        // from its end: user and kernel ticks are fields 14 and 15 of the line.
        let (_, after_name) = stat.rsplit_once(')')?;
        let mut fields = after_name.split_ascii_whitespace().skip(11);
        let user: u64 = fields.next()?.parse().ok()?;
        let kernel: u64 = fields.next()?.parse().ok()?;
        let ticks_per_second = rustix::param::clock_ticks_per_second();
        Some(Duration::from_millis((user + kernel) * 1000 / ticks_per_second.max(1)))
    }

    pub(super) fn serves(process_id: u32, ours: SocketAddr, theirs: SocketAddr) -> bool {
        let table = if theirs.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
        // A server listening on `::` answers IPv4 from an IPv6 socket.
        let inode = socket_inode(table, theirs, ours).or_else(|| {
            let (theirs, ours) = (mapped_to_ipv6(theirs)?, mapped_to_ipv6(ours)?);
            socket_inode("/proc/net/tcp6", theirs, ours)
        });
        let Some(inode) = inode else { return false };
        let held = format!("socket:[{inode}]");
        let Ok(descriptors) = fs::read_dir(format!("/proc/{process_id}/fd")) else { return false };
        descriptors
            .flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok())
            .any(|link| link.as_os_str() == held.as_str())
    }

    /// The inode of the socket whose own address is `local`, connected to `remote`.
    fn socket_inode(table: &str, local: SocketAddr, remote: SocketAddr) -> Option<u64> {
        let wanted = (kernel_text(local), kernel_text(remote));
        let table = fs::read_to_string(table).ok()?;
        table.lines().skip(1).find_map(|line| {
            let mut fields = line.split_ascii_whitespace().skip(1);
            let ends = (fields.next()?, fields.next()?);
            let inode = fields.nth(6)?.parse().ok()?;
            (ends == (wanted.0.as_str(), wanted.1.as_str()) && inode != 0).then_some(inode)
        })
    }

    /// An address as `/proc/net/tcp` writes it: 32-bit words in the machine's byte order.
    fn kernel_text(address: SocketAddr) -> String {
        let octets = match address.ip() {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        let words = octets.chunks_exact(4).map(|word| {
            let word = u32::from_ne_bytes([word[0], word[1], word[2], word[3]]);
            format!("{word:08X}")
        });
        format!("{}:{:04X}", words.collect::<String>(), address.port())
    }

    fn mapped_to_ipv6(address: SocketAddr) -> Option<SocketAddr> {
        match address.ip() {
            IpAddr::V4(ip) => Some(SocketAddr::new(ip.to_ipv6_mapped().into(), address.port())),
            IpAddr::V6(_) => None,
        }
    }

    pub(super) fn die_with_spawning_thread(command: &mut Command) {
        let parent = getpid();
        let arrange = move || {
            set_parent_process_death_signal(Some(Signal::KILL))?;
            // A parent that died before the line above sends no signal any more.
            if getppid() == Some(parent) {
                Ok(())
            } else {
                Err(std::io::ErrorKind::NotFound.into())
            }
        };
        // SAFETY: between fork and exec only what is async-signal-safe may run, for another thread
        // may have held any lock when the process was copied. `arrange` makes two system calls
        // (prctl and getppid), reads its own captured integer, and builds errors that are plain
        // numbers: it allocates nothing, takes no lock and cannot panic.
        unsafe {
            command.pre_exec(arrange);
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn addresses_are_written_as_the_kernel_writes_them() {
            let address: SocketAddr = "127.0.0.1:6379".parse().unwrap();
            let expected =
                if cfg!(target_endian = "little") { "0100007F:18EB" } else { "7F000001:18EB" };
            assert_eq!(kernel_text(address), expected);
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::net::SocketAddr;
    use std::process::Command;
    use std::time::Duration;

    use super::Resident;

    pub(super) fn transparent_huge_pages() -> Option<String> {
        None
    }

    pub(super) fn resident(_process_id: u32) -> Option<Resident> {
        None
    }

    pub(super) fn reset_peak(_process_id: u32) -> Result<(), String> {
        Err("only Linux can reset the peak of a process".to_owned())
    }

    pub(super) fn cpu_time(_process_id: u32) -> Option<Duration> {
        None
    }

    pub(super) fn serves(_process_id: u32, _ours: SocketAddr, _theirs: SocketAddr) -> bool {
        false
    }

    pub(super) fn die_with_spawning_thread(_command: &mut Command) {}
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    #[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
    fn this_process_is_in_memory_and_its_peak_is_no_less() {
        let resident = resident(std::process::id()).unwrap();
        assert!(resident.rss_bytes > 0);
        assert!(resident.rss_peak_bytes.unwrap() > 0);
    }

    #[test]
    #[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
    fn a_peak_that_is_reset_forgets_what_was_given_back() {
        const GIVEN_BACK_BYTES: usize = 256 << 20;
        let process_id = std::process::id();
        // Written page by page, so that it is in memory; given back to the system when dropped.
        drop(std::hint::black_box(vec![1u8; GIVEN_BACK_BYTES]));
        let before = resident(process_id).unwrap().rss_peak_bytes.unwrap();
        reset_peak(process_id).unwrap();
        let after = resident(process_id).unwrap().rss_peak_bytes.unwrap();
        assert!(after + GIVEN_BACK_BYTES as u64 / 2 < before, "{before} B, then {after} B");
    }

    #[test]
    fn a_process_that_does_not_exist_is_not_known() {
        assert_eq!(resident(u32::MAX), None);
        assert_eq!(cpu_time(u32::MAX), None);
        assert!(reset_peak(u32::MAX).is_err());
    }

    #[test]
    #[cfg_attr(not(target_os = "linux"), ignore = "needs /proc")]
    fn only_the_process_that_holds_the_other_end_serves_a_connection() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (_server, _) = listener.accept().unwrap();
            let (ours, theirs) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
            assert!(serves(std::process::id(), ours, theirs));
            assert!(!serves(1, ours, theirs) || std::process::id() == 1);
            let elsewhere = SocketAddr::new(theirs.ip(), 1);
            assert!(!serves(std::process::id(), ours, elsewhere));
        }
    }
}
