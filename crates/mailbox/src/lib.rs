//! How do threads share a shard without a lock?
//!
//! Many threads [`send`](Sender::send) to one [`Owner`] through a bounded ring. The owner sleeps
//! when there is nothing to do and is woken through a [`Wake`], which is a thread's unpark
//! ([`ThreadWake`]) or anything else that sticks, such as an eventfd. A caller that wants an answer
//! sends a [`Completion`] along and waits on its [`Answer`].
//!
//! ```
//! use hectare_mailbox::{Answer, ThreadWake, mailbox};
//!
//! let (start, started) = std::sync::mpsc::channel();
//! let owner_thread = std::thread::spawn(move || {
//!     let mut owner: hectare_mailbox::Owner<(u64, hectare_mailbox::Completion<u64>)> =
//!         started.recv().expect("the mailbox is made below");
//!     loop {
//!         while let Some((number, completion)) = owner.pop() {
//!             completion.complete(number * 2);
//!         }
//!         if owner.is_finished() {
//!             break;
//!         }
//!         owner.sleep(None);
//!     }
//! });
//!
//! let wake = ThreadWake::new(owner_thread.thread().clone());
//! let (sender, owner) = mailbox(64, (), Box::new(wake));
//! start.send(owner).expect("the owner's thread waits for it");
//!
//! let mut answer = Answer::new();
//! sender.send((21, answer.issue())).expect("there is room");
//! assert_eq!(answer.wait(None), Ok(42));
//!
//! sender.close();
//! owner_thread.join().expect("it ends when the mailbox is closed and empty");
//! ```
//!
//! # Borrowing
//!
//! What a mailbox guards is reached by its owner, and while that one sleeps by whoever
//! [borrows](Sender::try_borrow) it: a call on a quiet mailbox costs no thread switch.
//!
//! ```
//! use hectare_mailbox::{Standing, ThreadWake, mailbox};
//!
//! let (sender, mut owner) = mailbox::<u64, _>(64, vec![1], Box::new(ThreadWake::current()));
//! assert!(sender.try_borrow().is_none(), "its owner is awake");
//! assert!(owner.announce_sleep());
//! let mut lend = sender.try_borrow().expect("nobody is in");
//! assert_eq!(lend.standing(), Standing::Quiet);
//! lend.with(|list| list.push(2));
//! assert!(lend.give_back().is_none(), "nothing was sent meanwhile");
//! assert_eq!(owner.with(|list| list.clone()), [1, 2]);
//! ```
//!
//! # What is checked
//!
//! The crate that ships is the crate that loom explores: `tests/loom.rs` holds a model for each
//! promise, and for each model the faults that it must catch.

mod mailbox;

mod lend;
mod owner;
mod sender;

mod completion;
mod doorbell;
mod gauge;
mod ring;
mod room;
mod wake;

mod sync;

pub use completion::{Answer, Completion, WaitError};
pub use gauge::Gauge;
pub use lend::{Lend, Standing};
pub use mailbox::{mailbox, mailbox_within};
pub use owner::Owner;
pub use room::{Bounds, Weight};
pub use sender::{BorrowError, SendError, Sender};
pub use wake::{ThreadWake, Wake};
