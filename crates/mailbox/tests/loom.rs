//! Does the mailbox keep its promises in every order in which threads can run?
//!
//! Run with `RUSTFLAGS="--cfg loom" cargo test --release -p hectare-mailbox --test loom`. Each model
//! is a promise; `every_fault_is_caught_by_its_model` breaks the code in one way after another (the
//! names are those that `sync::broken` is asked for) and wants the named model to fail.
#![cfg(loom)]

use hectare_mailbox::{
    Answer, Completion, Owner, SendError, Sender, ThreadWake, WaitError, mailbox,
};
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
];

fn explore(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 10_000;
    builder.check(model);
}

/// A mailbox that the calling thread owns.
fn own<T: Send>(capacity: usize) -> (Sender<T>, Owner<T>) {
    mailbox(capacity, Box::new(ThreadWake::current()))
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
                Err(SendError::Full(_)) => panic!("there is room for all"),
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
