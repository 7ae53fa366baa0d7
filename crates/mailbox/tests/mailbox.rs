//! Does the mailbox keep its promises on real threads?
#![cfg(not(loom))]

use hectare_mailbox::{
    Answer, BorrowError, Bounds, Completion, SendError, Standing, ThreadWake, WaitError, Wake,
    Weight, mailbox, mailbox_within,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

struct NoWake;

impl Wake for NoWake {
    fn wake(&self) {}
}

#[test]
fn items_of_each_producer_arrive_once_and_in_order() {
    const ITEMS: u64 = 50_000;
    let (sender, mut owner) = mailbox(8, (), Box::new(ThreadWake::current()));
    let producers: Vec<_> = (0..3_usize)
        .map(|producer| {
            let sender = sender.clone();
            thread::spawn(move || {
                let patient = Instant::now() + Duration::from_secs(600);
                for item in 0..ITEMS {
                    sender.send_before((producer, item), patient).unwrap();
                }
            })
        })
        .collect();
    let mut next = [0; 3];
    while next != [ITEMS; 3] {
        match owner.pop() {
            Some((producer, item)) => {
                assert_eq!(item, next[producer]);
                next[producer] += 1;
            }
            None => owner.sleep(None),
        }
    }
    producers.into_iter().for_each(|producer| producer.join().unwrap());
    assert_eq!(owner.pop(), None);
}

#[test]
fn a_full_mailbox_gives_the_item_back() {
    let (sender, mut owner) = mailbox(2, (), Box::new(NoWake));
    assert_eq!(sender.capacity(), 2);
    assert_eq!(sender.send(1), Ok(()));
    assert_eq!(sender.send(2), Ok(()));
    assert_eq!(sender.send(3), Err(SendError::Full(3)));
    assert_eq!(sender.send_before(3, Instant::now()), Err(SendError::Full(3)));
    assert_eq!(owner.pop(), Some(1));
    assert_eq!(sender.send(3), Ok(()));
    assert_eq!(owner.pop(), Some(2));
    assert_eq!(owner.pop(), Some(3));
    assert_eq!(owner.pop(), None);
}

#[test]
fn a_capacity_is_rounded_up_to_a_power_of_two() {
    for (asked, got) in [(0, 2), (1, 2), (2, 2), (3, 4), (1000, 1024)] {
        let (sender, _owner) = mailbox::<u8, ()>(asked, (), Box::new(NoWake));
        assert_eq!(sender.capacity(), got);
    }
}

#[test]
fn a_closed_mailbox_refuses_and_hands_out_what_it_has() {
    let (sender, mut owner) = mailbox(4, (), Box::new(NoWake));
    sender.send(1).unwrap();
    sender.close();
    assert_eq!(sender.send(2), Err(SendError::Closed(2)));
    assert!(!owner.is_finished());
    assert_eq!(owner.pop(), Some(1));
    assert!(owner.is_finished());
    owner.sleep(None);
}

#[test]
fn every_item_is_dropped_once_whoever_goes_first() {
    struct Counted(Arc<AtomicUsize>);
    impl Drop for Counted {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    for owner_first in [false, true] {
        let drops = Arc::new(AtomicUsize::new(0));
        let (sender, mut owner) = mailbox(8, (), Box::new(NoWake));
        for _ in 0..6 {
            assert!(sender.send(Counted(Arc::clone(&drops))).is_ok());
        }
        drop(owner.pop());
        if owner_first {
            drop(owner);
            assert!(matches!(sender.send(Counted(Arc::clone(&drops))), Err(SendError::Gone(_))));
            assert!(sender.is_abandoned());
            assert_eq!(drops.load(Ordering::Relaxed), 7);
        } else {
            drop(sender);
            drop(owner);
            assert_eq!(drops.load(Ordering::Relaxed), 6);
        }
    }
}

#[test]
fn calls_are_answered_until_the_owner_goes_and_then_refused() {
    let (start, started) = std::sync::mpsc::channel();
    let serving = thread::spawn(move || {
        let mut owner: hectare_mailbox::Owner<(u64, Completion<u64>)> = started.recv().unwrap();
        while !owner.is_finished() {
            match owner.pop() {
                Some((number, completion)) => completion.complete(number + 1),
                None => owner.sleep(Some(Instant::now() + Duration::from_millis(5))),
            }
        }
    });
    let wake = ThreadWake::new(serving.thread().clone());
    let (sender, owner) = mailbox(4, (), Box::new(wake));
    start.send(owner).unwrap();
    let callers: Vec<_> = (0..3)
        .map(|_| {
            let sender = sender.clone();
            thread::spawn(move || {
                let mut answer = Answer::new();
                let mut answered = 0;
                loop {
                    let question = (answered, answer.issue());
                    let sent =
                        sender.send_before(question, Instant::now() + Duration::from_secs(600));
                    if sent.is_err() {
                        drop(sent);
                        assert_eq!(answer.wait(None), Err(WaitError::Abandoned));
                        return answered;
                    }
                    assert_eq!(answer.wait(None), Ok(answered + 1));
                    answered += 1;
                    if answered == 2_000 {
                        sender.close();
                    }
                }
            })
        })
        .collect();
    let answered: Vec<u64> = callers.into_iter().map(|caller| caller.join().unwrap()).collect();
    assert!(answered.contains(&2_000));
    serving.join().unwrap();
}

#[test]
fn a_wait_can_time_out_and_be_taken_up_again() {
    let mut answer = Answer::new();
    let completion = answer.issue();
    assert!(answer.poll().is_none());
    let soon = Instant::now() + Duration::from_millis(2);
    assert_eq!(answer.wait(Some(soon)), Err(WaitError::TimedOut));
    completion.complete("late");
    assert_eq!(answer.wait(None), Ok("late"));
}

/// Items weigh what they are.
#[test]
fn a_mailbox_is_bounded_by_what_its_items_weigh() {
    let weight = Weight { commands: 10, bytes: 4096 };
    let weigh = |item: &u32| Weight { commands: *item, bytes: 1024 };
    let bounds = Bounds { items: 8, weight, weigh: Some(weigh) };
    let (sender, mut owner) = mailbox_within(&bounds, (), Box::new(NoWake));
    assert_eq!(sender.send(7), Ok(()));
    assert_eq!(sender.send(4), Err(SendError::Full(4)), "eleven commands");
    assert_eq!(sender.send(1), Ok(()));
    assert_eq!(sender.send(1), Ok(()));
    assert_eq!(sender.send(1), Ok(()));
    assert_eq!(sender.send(0), Err(SendError::Full(0)), "five KiB");
    for item in [7, 1, 1, 1] {
        assert_eq!(owner.pop(), Some(item));
    }
    assert_eq!(sender.send(1000), Ok(()), "heavier than all may be, but alone");
    assert_eq!(sender.send(1), Err(SendError::Full(1)));
    assert_eq!(owner.pop(), Some(1000));
    assert_eq!(sender.send(1), Ok(()));
}

#[test]
fn who_waits_for_room_is_served_in_order() {
    let (sender, mut owner) = mailbox(2, (), Box::new(NoWake));
    sender.send(0).unwrap();
    sender.send(1).unwrap();
    let late = Instant::now() + Duration::from_secs(600);
    thread::scope(|scope| {
        for item in 2..6 {
            let sender = sender.clone();
            scope.spawn(move || sender.send_before(item, late).unwrap());
            thread::sleep(Duration::from_millis(30));
        }
        let impatient = sender.send_before(99, Instant::now() + Duration::from_millis(1));
        assert_eq!(impatient, Err(SendError::Full(99)));
        for expected in 0..6 {
            if expected < 5 {
                assert_eq!(sender.send(99), Err(SendError::Full(99)), "nobody pushes past");
            }
            assert_eq!(owner.pop(), Some(expected));
            thread::sleep(Duration::from_millis(5));
        }
    });
    assert_eq!(sender.send(6), Ok(()), "the line is gone");
}

#[test]
fn what_is_owned_is_lent_while_its_owner_sleeps() {
    let (sender, mut owner) = mailbox(4, Vec::new(), Box::new(NoWake));
    assert!(sender.try_borrow().is_none(), "the owner is awake");
    assert_eq!(
        sender.borrow_before(Some(Instant::now())).err(),
        Some(BorrowError::TimedOut),
        "and stays so"
    );
    assert!(owner.announce_sleep());
    let lend = sender.try_borrow().unwrap();
    assert!(sender.try_borrow().is_none(), "one at a time");
    assert_eq!(lend.standing(), Standing::Quiet);
    sender.send(1).unwrap();
    assert_eq!(lend.standing(), Standing::Busy);
    let mut lend = lend.give_back().expect("an item has come");
    let item = lend.pop().unwrap();
    lend.with(|list| list.push(item));
    assert!(lend.give_back().is_none());
    sender.send(2).unwrap();
    assert!(sender.try_borrow().is_none(), "the owner was called");
    assert_eq!(owner.pop(), Some(2));
    assert!(owner.announce_sleep());
    sender.close();
    assert_eq!(owner.with(std::mem::take), [1]);
    assert!(owner.announce_sleep() || owner.is_finished());
    drop(owner);
    assert_eq!(sender.borrow_before(None).err(), Some(BorrowError::Gone));
}

#[test]
fn threads_that_borrow_and_ask_lose_no_count() {
    const ROUNDS: u64 = 20_000;
    let (sender, mut owner) = mailbox(8, 0_u64, Box::new(ThreadWake::current()));
    let workers: Vec<_> = (0..3)
        .map(|worker| {
            let sender: hectare_mailbox::Sender<u64, u64> = sender.clone();
            thread::spawn(move || {
                let patient = Instant::now() + Duration::from_secs(600);
                for round in 0..ROUNDS {
                    let borrowed = match (round + worker) % 3 {
                        0 => sender.try_borrow(),
                        1 => Some(sender.borrow_before(None).unwrap()),
                        _ => None,
                    };
                    let mut lend = match borrowed {
                        Some(mut lend) => {
                            lend.with(|count| *count += 1);
                            Some(lend)
                        }
                        None => sender.send_or_borrow_before(1, patient).unwrap(),
                    };
                    while let Some(mut borrowed) = lend {
                        while let Some(more) = borrowed.pop() {
                            borrowed.with(|count| *count += more);
                        }
                        lend = borrowed.give_back();
                    }
                }
            })
        })
        .collect();
    let watcher = thread::spawn(move || {
        workers.into_iter().for_each(|worker| worker.join().unwrap());
        sender.close();
    });
    while !owner.is_finished() {
        match owner.pop() {
            Some(more) => owner.with(|count| *count += more),
            None => owner.sleep(None),
        }
        owner.lend_if_asked();
    }
    assert_eq!(owner.with(|count| *count), 3 * ROUNDS);
    watcher.join().unwrap();
}
