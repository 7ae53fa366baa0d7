//! Does the mailbox keep its promises in every order in which threads can run?
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release -p hectare-mailbox --test loom`. Each model
//! is a promise; `every_fault_is_caught_by_its_model` breaks the code in one way after another (the
//! names are those that `sync::broken` is asked for) and wants the named model to fail.
#![cfg(loom)]

use hectare_mailbox::{
    Answer, BorrowError, Completion, Lend, Owner, SendError, Sender, Standing, ThreadWake,
    WaitError, Wake, mailbox,
};
use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;
use std::process::Command;

/// Which faults each model must notice. A fault that no model notices, or a model that notices
/// nothing, would be a check that cannot fail. (`a_caller_dropped_before_its_answer_leaks_nothing`
/// has none: both sides hold the place by `Arc`, so there is no line to break; it guards the design.)
const FAULTS: &[(&str, &[&str])] = &[
    (
        "no_item_waits_in_front_of_a_sleeping_shard",
        &["producer without fence", "owner without fence", "no second look"],
    ),
    (
        "one_producer_needs_no_luck_either",
        &["producer without fence", "owner without fence", "no second look"],
    ),
    (
        "an_owner_that_wakes_early_does_not_undo_a_ring",
        &["producer without fence", "owner without fence", "no second look"],
    ),
    (
        "items_of_one_producer_keep_their_order",
        &["claim without compare-exchange", "filled without release"],
    ),
    ("a_full_ring_gives_items_back_and_wraps", &["emptied without release"]),
    (
        "two_producers_share_a_ring_that_is_full",
        &["claim without compare-exchange", "emptied without release"],
    ),
    ("what_was_accepted_before_close_arrives", &["finished while a slot is claimed"]),
    (
        "closing_wakes_a_sleeping_owner",
        &["producer without fence", "owner without fence", "no second look"],
    ),
    ("an_answer_reaches_a_caller_that_sleeps", &["done without release", "done without waking"]),
    ("a_caller_learns_that_its_call_was_dropped", &["dropped without a word"]),
    (
        "a_call_is_answered_or_refused_even_as_the_mailbox_closes",
        &["no second look", "done without waking", "finished while a slot is claimed"],
    ),
    (
        "an_owner_that_is_dropped_abandons_what_it_holds",
        &["finished while a slot is claimed", "dropped without a word"],
    ),
    (
        "a_borrower_leaves_nothing_that_was_pushed_meanwhile",
        &["producer without fence", "borrower without fence", "no second look by a borrower"],
    ),
    ("two_borrowers_and_an_owner_are_never_in_together", &["a borrower that does not compare"]),
    (
        "an_owner_that_goes_waits_for_a_borrower",
        &["gone while it is lent", "a borrower that does not compare"],
    ),
    (
        "a_call_that_is_lent_or_sent_is_answered",
        &["no second look by a borrower", "handed over without waking", "borrower without fence"],
    ),
    ("who_asks_learns_that_the_owner_is_gone", &["gone while it is lent"]),
    ("a_borrower_overtakes_nothing_of_its_own", &["quiet while a slot is claimed"]),
    ("an_owner_that_runs_lends_when_it_is_asked", &["asked and not granted"]),
    ("two_that_take_both_shards_see_all_or_nothing", &["asked and not granted", "kept its own"]),
    ("who_leaves_the_line_holds_nobody_up", &["left without a second look"]),
    ("an_answer_reaches_a_task_that_waits", &["done without release", "done without waking"]),
];

fn explore(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 10_000;
    builder.check(model);
}

/// Takes all items that are there, and gives back, as long as more come.
fn drain(mut lend: Option<Lend<'_, u32, Vec<u32>>>) {
    while let Some(mut borrowed) = lend {
        while let Some(item) = borrowed.pop() {
            borrowed.with(|taken| taken.push(item));
        }
        lend = borrowed.give_back();
    }
}

/// Runs the owner of a list until the mailbox is closed, and says what was put in it.
fn own_list(mut owner: Owner<u32, Vec<u32>>) -> Vec<u32> {
    while !owner.is_finished() {
        match owner.pop() {
            Some(item) => owner.with(|taken| taken.push(item)),
            None => owner.sleep(None),
        }
    }
    owner.with(std::mem::take)
}

struct NoWake;

impl Wake for NoWake {
    fn wake(&self) {}
}

/// A mailbox that the calling thread owns.
fn own<T: Send>(capacity: usize) -> (Sender<T>, Owner<T>) {
    mailbox(capacity, (), Box::new(ThreadWake::current()))
}

/// Takes `count` items, sleeping whenever there is none.
fn take<T: Send>(owner: &mut Owner<T>, count: usize) -> Vec<T> {
    let mut taken = Vec::new();
    while taken.len() < count {
        match owner.pop() {
            Some(item) => taken.push(item),
            None => owner.sleep(None),
        }
    }
    taken
}

/// Sends, and lets the owner run while there is no room.
fn send_patiently<T: Send>(sender: &Sender<T>, mut item: T) {
    while let Err(error) = sender.send(item) {
        let SendError::Full(back) = error else { panic!("nobody closes this mailbox") };
        item = back;
        thread::yield_now();
    }
}

#[test]
fn no_item_waits_in_front_of_a_sleeping_shard() {
    explore(3, || {
        let (sender, mut owner) = own(2);
        let producers = [1, 2].map(|item| {
            let sender = sender.clone();
            thread::spawn(move || sender.send(item).unwrap())
        });
        let mut taken = take(&mut owner, 2);
        taken.sort_unstable();
        assert_eq!(taken, [1, 2]);
        producers.into_iter().for_each(|producer| producer.join().unwrap());
    });
}

#[test]
fn one_producer_needs_no_luck_either() {
    explore(3, || {
        let (sender, mut owner) = own(4);
        let producer = thread::spawn(move || {
            for item in 0..3 {
                sender.send(item).unwrap();
            }
        });
        assert_eq!(take(&mut owner, 3), [0, 1, 2]);
        producer.join().unwrap();
    });
}

/// The owner announces its sleep and wakes for a reason of its own (a deadline, a socket), while a
/// producer rings; then it sleeps in earnest.
#[test]
fn an_owner_that_wakes_early_does_not_undo_a_ring() {
    explore(3, || {
        let (sender, mut owner) = own(2);
        let producers = [1, 2].map(|item| {
            let sender = sender.clone();
            thread::spawn(move || sender.send(item).unwrap())
        });
        owner.announce_sleep();
        owner.wake_up();
        let mut taken = take(&mut owner, 2);
        taken.sort_unstable();
        assert_eq!(taken, [1, 2]);
        producers.into_iter().for_each(|producer| producer.join().unwrap());
    });
}

#[test]
fn items_of_one_producer_keep_their_order() {
    explore(2, || {
        let (sender, mut owner) = own(4);
        let producers = [10, 20].map(|first| {
            let sender = sender.clone();
            thread::spawn(move || {
                sender.send(first).unwrap();
                sender.send(first + 1).unwrap();
            })
        });
        let taken = take(&mut owner, 4);
        for first in [10, 20] {
            let own: Vec<_> = taken.iter().filter(|item| **item / 10 * 10 == first).collect();
            assert_eq!(own, [&first, &(first + 1)]);
        }
        producers.into_iter().for_each(|producer| producer.join().unwrap());
    });
}

#[test]
fn a_full_ring_gives_items_back_and_wraps() {
    explore(3, || {
        let (sender, mut owner) = own(2);
        let producer = thread::spawn(move || {
            for item in 0..3 {
                send_patiently(&sender, Box::new(item));
            }
        });
        let taken = take(&mut owner, 3);
        assert_eq!(taken, [Box::new(0), Box::new(1), Box::new(2)]);
        producer.join().unwrap();
    });
}

#[test]
fn two_producers_share_a_ring_that_is_full() {
    explore(2, || {
        let (sender, mut owner) = own(2);
        let patient = {
            let sender = sender.clone();
            thread::spawn(move || send_patiently(&sender, Box::new(3)))
        };
        let producer = thread::spawn(move || {
            send_patiently(&sender, Box::new(1));
            send_patiently(&sender, Box::new(2));
        });
        let mut taken = take(&mut owner, 3);
        taken.sort_unstable();
        assert_eq!(taken, [Box::new(1), Box::new(2), Box::new(3)]);
        patient.join().unwrap();
        producer.join().unwrap();
    });
}

#[test]
fn what_was_accepted_before_close_arrives() {
    explore(3, || {
        let (sender, mut owner) = own(4);
        let producers = [1, 2].map(|item| {
            let sender = sender.clone();
            thread::spawn(move || match sender.send(item) {
                Ok(()) => 1,
                Err(SendError::Closed(back)) => {
                    assert_eq!(back, item);
                    0
                }
                Err(_) => panic!("there is room for all, and the owner stays"),
            })
        });
        sender.close();
        let mut taken = 0;
        while !owner.is_finished() {
            match owner.pop() {
                Some(_) => taken += 1,
                None => owner.sleep(None),
            }
        }
        let accepted: usize = producers.map(|producer| producer.join().unwrap()).iter().sum();
        assert_eq!(taken, accepted);
    });
}

#[test]
fn closing_wakes_a_sleeping_owner() {
    explore(3, || {
        let (sender, mut owner) = own::<u8>(2);
        let closers = [sender.clone(), sender].map(|sender| thread::spawn(move || sender.close()));
        while !owner.is_finished() {
            owner.sleep(None);
        }
        closers.into_iter().for_each(|closer| closer.join().unwrap());
    });
}

#[test]
fn an_answer_reaches_a_caller_that_sleeps() {
    explore(3, || {
        let mut answer = Answer::new();
        let completion = answer.issue();
        let other = thread::spawn(move || completion.complete(Box::new(7)));
        assert_eq!(answer.wait(None), Ok(Box::new(7)));
        // Again, in the same place if the other side has let go of it.
        let completion = answer.issue();
        let another = thread::spawn(move || completion.complete(Box::new(8)));
        assert_eq!(answer.wait(None), Ok(Box::new(8)));
        other.join().unwrap();
        another.join().unwrap();
    });
}

#[test]
fn a_caller_learns_that_its_call_was_dropped() {
    explore(3, || {
        let mut answer = Answer::<u8>::new();
        let completion = answer.issue();
        let other = thread::spawn(move || drop(completion));
        assert_eq!(answer.wait(None), Err(WaitError::Abandoned));
        other.join().unwrap();
    });
}

/// The value is loom's `Arc`, which reports a leak.
#[test]
fn a_caller_dropped_before_its_answer_leaks_nothing() {
    explore(3, || {
        let value = loom::sync::Arc::new(());
        let mut answer = Answer::new();
        let completion = answer.issue();
        let sent = loom::sync::Arc::clone(&value);
        let other = thread::spawn(move || completion.complete(sent));
        drop(answer);
        other.join().unwrap();
        assert_eq!(loom::sync::Arc::strong_count(&value), 1);
    });
}

/// A whole call: two callers ask one owner, which is gone as soon as it has seen the mailbox close.
#[test]
fn a_call_is_answered_or_refused_even_as_the_mailbox_closes() {
    explore(2, || {
        let (sender, mut owner) = own::<(u32, Completion<u32>)>(2);
        let caller = {
            let sender = sender.clone();
            thread::spawn(move || {
                let mut answer = Answer::new();
                let accepted = sender.send((1, answer.issue())).is_ok();
                let expected = if accepted { Ok(2) } else { Err(WaitError::Abandoned) };
                assert_eq!(answer.wait(None), expected);
            })
        };
        let closer = thread::spawn(move || sender.close());
        while !owner.is_finished() {
            match owner.pop() {
                Some((number, completion)) => completion.complete(number + 1),
                None => owner.sleep(None),
            }
        }
        drop(owner);
        caller.join().unwrap();
        closer.join().unwrap();
    });
}

/// Accepted, and then the owner goes: the caller must not wait for ever.
#[test]
fn an_owner_that_is_dropped_abandons_what_it_holds() {
    explore(3, || {
        let (sender, owner) = own::<Completion<u32>>(2);
        let callers = [sender.clone(), sender].map(|sender| {
            thread::spawn(move || {
                let mut answer = Answer::new();
                drop(sender.send(answer.issue()));
                assert_eq!(answer.wait(None), Err(WaitError::Abandoned));
            })
        });
        drop(owner);
        callers.into_iter().for_each(|caller| caller.join().unwrap());
    });
}

/// Notes that the owner was called. (A thread that is unparked while it joins is more than loom's
/// `join` can take.)
struct Call(loom::sync::Arc<AtomicBool>);

impl Wake for Call {
    fn wake(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Whatever the order, the item is taken by the borrower or its producer, or the owner is called.
#[test]
fn a_borrower_leaves_nothing_that_was_pushed_meanwhile() {
    explore(3, || {
        let called = loom::sync::Arc::new(AtomicBool::new(false));
        let call = Call(loom::sync::Arc::clone(&called));
        let (sender, mut owner) = mailbox(2, Vec::new(), Box::new(call));
        assert!(owner.announce_sleep());
        let borrower = {
            let sender = sender.clone();
            thread::spawn(move || drain(sender.try_borrow()))
        };
        let producers = [1, 2].map(|item| {
            let sender = sender.clone();
            thread::spawn(move || match item {
                1 => sender.send(1).unwrap(),
                _ => drain(sender.send_or_borrow(2).unwrap()),
            })
        });
        borrower.join().unwrap();
        producers.into_iter().for_each(|producer| producer.join().unwrap());
        let was_called = called.load(Ordering::Acquire);
        let mut taken = owner.with(std::mem::take);
        assert!(taken.len() == 2 || was_called, "{} were taken, and nobody called", taken.len());
        taken.extend(std::iter::from_fn(|| owner.pop()));
        taken.sort_unstable();
        assert_eq!(taken, [1, 2]);
    });
}

#[test]
fn two_borrowers_and_an_owner_are_never_in_together() {
    explore(3, || {
        let (sender, mut owner) = mailbox::<u32, _>(2, Vec::new(), Box::new(ThreadWake::current()));
        assert!(owner.announce_sleep());
        let borrowers = [1, 2].map(|item| {
            let sender = sender.clone();
            thread::spawn(move || {
                let mut lend = sender.try_borrow();
                let done = usize::from(lend.is_some());
                if let Some(lend) = &mut lend {
                    lend.with(|taken| taken.push(item));
                }
                drain(lend);
                done
            })
        });
        // It wakes for a reason of its own.
        let seen = owner.with(|taken| taken.len());
        owner.announce_sleep();
        let done: usize = borrowers.map(|borrower| borrower.join().unwrap()).iter().sum();
        let taken = owner.with(|taken| taken.len());
        assert!(seen <= taken);
        assert_eq!(taken, done);
    });
}

/// Dropped by its owner while others borrow.
#[test]
fn an_owner_that_goes_waits_for_a_borrower() {
    explore(3, || {
        let (sender, mut owner) = mailbox(2, Vec::new(), Box::new(NoWake));
        assert!(owner.announce_sleep());
        let borrowers = [1, 2].map(|item| {
            let sender = sender.clone();
            thread::spawn(move || {
                if let Some(mut lend) = sender.try_borrow() {
                    lend.with(|taken| taken.push(item));
                    drain(Some(lend));
                }
            })
        });
        drop(owner);
        borrowers.into_iter().for_each(|borrower| borrower.join().unwrap());
    });
}

#[test]
fn who_asks_learns_that_the_owner_is_gone() {
    explore(3, || {
        let (sender, mut owner) = mailbox::<u32, _>(2, Vec::new(), Box::new(NoWake));
        let asker = thread::spawn(move || match sender.borrow_before(None) {
            Ok(mut lend) => lend.with(|taken| taken.push(2)),
            Err(error) => assert_eq!(error, BorrowError::Gone),
        });
        owner.step_aside();
        drop(owner);
        asker.join().unwrap();
    });
}

/// A whole call, in place if it can be and else sent, beside another borrower, the owner, and the
/// end of it all.
#[test]
fn a_call_that_is_lent_or_sent_is_answered() {
    explore(3, || {
        type Question = (u32, Completion<u32>);
        let (sender, mut owner) = mailbox::<Question, u32>(2, 0, Box::new(ThreadWake::current()));
        assert!(owner.announce_sleep());
        let answer_all = |mut lend: Option<Lend<'_, Question, u32>>| {
            while let Some(mut borrowed) = lend {
                let mut done = Vec::new();
                while let Some((number, completion)) = borrowed.pop() {
                    borrowed.with(|sum| *sum += number);
                    done.push((number, completion));
                }
                lend = borrowed.give_back();
                done.into_iter().for_each(|(number, completion)| completion.complete(number));
            }
        };
        let other = {
            let sender = sender.clone();
            thread::spawn(move || {
                if let Some(mut lend) = sender.try_borrow() {
                    lend.with(|sum| *sum += 1);
                    answer_all(Some(lend));
                }
            })
        };
        let caller = thread::spawn(move || {
            let mut answer = Answer::new();
            let question = (2, answer.issue());
            // Sent without borrowing: somebody else has to answer.
            sender.send(question).unwrap();
            assert_eq!(answer.wait(None), Ok(2));
            sender.close();
        });
        while !owner.is_finished() {
            match owner.pop() {
                Some((number, completion)) => {
                    owner.with(|sum| *sum += number);
                    completion.complete(number);
                }
                None => owner.sleep(None),
            }
        }
        other.join().unwrap();
        caller.join().unwrap();
    });
}

/// One caller sends a command and then comes in itself, while somebody else's claimed slot keeps
/// what it has sent from being taken.
#[test]
fn a_borrower_overtakes_nothing_of_its_own() {
    explore(3, || {
        let (sender, mut owner) = mailbox(4, Vec::new(), Box::new(NoWake));
        assert!(owner.announce_sleep());
        let other = {
            let sender = sender.clone();
            thread::spawn(move || drain(sender.send_or_borrow(7).unwrap()))
        };
        let caller = thread::spawn(move || {
            drain(sender.send_or_borrow(1).unwrap());
            match sender.try_borrow() {
                Some(mut lend) if lend.standing() == Standing::Quiet => {
                    lend.with(|taken| taken.push(2));
                    drain(Some(lend));
                }
                other => {
                    drain(other);
                    drain(sender.send_or_borrow(2).unwrap());
                }
            }
        });
        other.join().unwrap();
        caller.join().unwrap();
        let taken = owner.with(std::mem::take);
        let own: Vec<u32> = taken.into_iter().filter(|item| *item != 7).collect();
        assert_eq!(own, [1, 2]);
    });
}

#[test]
fn an_owner_that_runs_lends_when_it_is_asked() {
    explore(3, || {
        let (sender, mut owner) = mailbox(2, Vec::new(), Box::new(ThreadWake::current()));
        let asker = {
            let sender = sender.clone();
            thread::spawn(move || {
                let mut lend = sender.borrow_before(None).unwrap();
                lend.with(|taken| taken.push(1));
                drain(Some(lend));
                sender.close();
            })
        };
        let producer = thread::spawn(move || {
            let _refused_or_not = sender.send(2);
        });
        owner.lend_if_asked();
        assert!(own_list(owner).contains(&1));
        asker.join().unwrap();
        producer.join().unwrap();
    });
}

/// Two owners, each of which takes its own shard and the other's, and moves one from the first to
/// the second.
#[test]
fn two_that_take_both_shards_see_all_or_nothing() {
    explore(3, || {
        let take_both = |both: &[Sender<u32, Vec<u32>>; 2], own: &mut Owner<u32, Vec<u32>>| {
            own.step_aside();
            let mut lends = [&both[0], &both[1]].map(|one| one.borrow_before(None).unwrap());
            let moved = lends[0].with(|list| list.pop()).unwrap();
            lends[1].with(|list| list.push(moved));
            let sum = lends[0].with(|list| list.len()) + lends[1].with(|list| list.len());
            assert_eq!(sum, 2);
            drop(lends);
            own.wake_up();
        };
        let (first, mut first_owner) = mailbox(2, vec![1, 2], Box::new(ThreadWake::current()));
        let (second, second_owner) = mailbox(2, Vec::new(), Box::new(ThreadWake::current()));
        let both = [first, second];
        let others = both.clone();
        let other = thread::spawn(move || {
            let mut owner = second_owner;
            take_both(&others, &mut owner);
            owner.step_aside();
            owner
        });
        take_both(&both, &mut first_owner);
        first_owner.step_aside();
        let mut second_owner = other.join().unwrap();
        assert_eq!(first_owner.with(|list| list.len()), 0);
        assert_eq!(second_owner.with(|list| list.len()), 2);
    });
}

/// Two wait for room in a full mailbox, one of them not for long.
#[test]
fn who_leaves_the_line_holds_nobody_up() {
    explore(2, || {
        let (sender, mut owner) = mailbox(2, (), Box::new(NoWake));
        sender.send(1).unwrap();
        sender.send(2).unwrap();
        let patient = {
            let sender = sender.clone();
            thread::spawn(move || {
                let late = std::time::Instant::now() + std::time::Duration::from_secs(3600);
                sender.send_before(3, late).unwrap();
            })
        };
        let impatient = {
            let sender = sender.clone();
            thread::spawn(move || {
                usize::from(sender.send_before(4, std::time::Instant::now()).is_ok())
            })
        };
        assert_eq!(owner.pop(), Some(1));
        assert_eq!(owner.pop(), Some(2));
        patient.join().unwrap();
        let sent = impatient.join().unwrap();
        assert_eq!(std::iter::from_fn(|| owner.pop()).count(), 1 + sent);
        assert_eq!(sender.send(5), Ok(()), "nobody is in line");
    });
}

#[test]
fn an_answer_reaches_a_task_that_waits() {
    struct Unpark(thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: std::sync::Arc<Self>) {
            self.0.unpark();
        }
    }
    explore(3, || {
        let waker = std::sync::Arc::new(Unpark(thread::current())).into();
        let mut answer = Answer::new();
        let completion = answer.issue();
        let other = thread::spawn(move || completion.complete(Box::new(7)));
        let mut polled = answer.poll_or_wake(&waker);
        while polled.is_pending() {
            thread::park();
            polled = answer.poll_or_wake(&waker);
        }
        assert_eq!(polled, std::task::Poll::Ready(Ok(Box::new(7))));
        other.join().unwrap();
    });
}

#[test]
fn every_fault_is_caught_by_its_model() {
    if std::env::var_os("HECTARE_MAILBOX_FAULT").is_some() {
        return;
    }
    let program = std::env::current_exe().unwrap();
    for (model, faults) in FAULTS {
        for fault in *faults {
            let run = Command::new(&program)
                .args(["--exact", model])
                .env("HECTARE_MAILBOX_FAULT", fault)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&run.stdout);
            assert!(said.contains("running 1 test"), "no model is named {model}");
            assert!(!run.status.success(), "{model} does not notice the fault: {fault}");
        }
    }
}
