//! Order, places and limits of the questions.

use kanban_core::{
    Address, Assignee, Attachment, AttachmentId, Change, Claim, Comment, CommentId, Event, EventId,
    EventKind, JsonObject, Lane, LaneHead, Link, ListIndex, ListKey, ListOrder, Millis, Note,
    Phase, PriorityKey, Run, RunId, Scope, Seq, StatsRow, Status, Subscription, SubscriptionId,
    SubscriptionMode, Task, TaskId, View,
};

use super::{Fixture, OpenEngine, ask, changed, id, label, new_task, task, write};

fn name(text: &str) -> Assignee {
    Assignee::new(text).unwrap()
}

fn board(open: OpenEngine, tasks: &[Task]) -> Fixture {
    let fixture = Fixture::new(open);
    let changes: Vec<Change> = tasks.iter().map(new_task).collect();
    write(fixture.engine(), &changes);
    fixture
}

fn ids(tasks: &[Task]) -> Vec<&str> {
    tasks.iter().map(|task| task.id.as_str()).collect()
}

/// Asks page by page, one row a page, and then all at once: both find the same, in the same order.
fn pages(
    fixture: &Fixture,
    question: impl Fn(&dyn View, Option<&Task>, usize) -> kanban_core::Result<Vec<Task>>,
) -> Vec<String> {
    let all = ask(fixture.engine(), |view| question(view, None, 1000));
    let mut walked: Vec<Task> = Vec::new();
    loop {
        let last = walked.last().cloned();
        let page = ask(fixture.engine(), |view| question(view, last.as_ref(), 1));
        match page.as_slice() {
            [] => break,
            [one] => walked.push(one.clone()),
            more => panic!("a page of one has {}", more.len()),
        }
    }
    assert_eq!(ids(&walked), ids(&all));
    assert!(ask(fixture.engine(), |view| question(view, None, 0)).is_empty());
    walked.iter().map(|task| task.id.to_string()).collect()
}

pub(crate) fn tasks_are_walked_by_id(open: OpenEngine) {
    let names = ["A", "Z", "_", "-", "a", "z", "0", "t_9", "t_10"];
    let fixture = board(open, &names.map(task));
    let mut expected = names;
    expected.sort_unstable();
    let found = pages(&fixture, |view, after, limit| {
        view.tasks(after.map(|task| &task.id), limit)
    });
    assert_eq!(found, expected);
}

pub(crate) fn ids_are_found_by_their_beginning(open: OpenEngine) {
    let fixture = board(
        open,
        &["t_a", "t_ab", "t_abz", "t_ac", "t", "u", "T_a", "zzz"].map(task),
    );
    let by = |prefix: &str, limit: usize| {
        let found = ask(fixture.engine(), |view| {
            view.task_ids_by_prefix(prefix, limit)
        });
        found.iter().map(TaskId::to_string).collect::<Vec<_>>()
    };
    assert_eq!(by("t_a", 10), ["t_a", "t_ab", "t_abz", "t_ac"]);
    assert_eq!(by("t_ab", 10), ["t_ab", "t_abz"]);
    assert_eq!(by("t_ab", 1), ["t_ab"]);
    assert_eq!(by("", 100).len(), 8);
    assert_eq!(by("zz", 10), ["zzz"]);
    for none in ["x", "%", "t_%", "~", "\u{10ffff}", "t_a "] {
        assert_eq!(by(none, 10), Vec::<String>::new(), "{none:?}");
    }
}

/// Tasks with few different priorities and ages, so that each tie-breaker is needed.
fn crowd() -> Vec<Task> {
    let mut tasks = Vec::new();
    for (at, priority) in [
        (0, 0),
        (1, i32::MAX),
        (2, i32::MIN),
        (3, 0),
        (4, 5),
        (5, -5),
    ] {
        for (also, created_at) in [(0, i64::MIN), (1, 7), (2, i64::MAX)] {
            for assignee in [None, Some("ann"), Some("bob")] {
                let suffix = assignee.unwrap_or("nobody");
                tasks.push(Task {
                    priority,
                    created_at: Millis::new(created_at),
                    updated_at: Millis::new(-(created_at / 2) + i64::from(at)),
                    assignee: assignee.map(name),
                    tenant: (at % 2 == 0).then(|| label("acme")),
                    status: if also == 2 {
                        Status::Review
                    } else {
                        Status::Ready
                    },
                    ..task(&format!("t_{at}{also}_{suffix}"))
                });
            }
        }
    }
    tasks
}

fn in_order(tasks: &[Task], wanted: impl Fn(&Task) -> bool) -> Vec<String> {
    let mut found: Vec<&Task> = tasks.iter().filter(|task| wanted(task)).collect();
    found.sort_by_key(|task| PriorityKey::of(task));
    found.iter().map(|task| task.id.to_string()).collect()
}

pub(crate) fn lists_keep_their_order_over_pages(open: OpenEngine) {
    let tasks = crowd();
    let fixture = board(open, &tasks);
    let list = |index: ListIndex| {
        pages(&fixture, |view, after, limit| {
            let by_update = index == ListIndex::All(ListOrder::Updated);
            let key = after.map(|task| ListKey {
                priority: task.priority,
                at: if by_update {
                    task.updated_at
                } else {
                    task.created_at
                },
                id: task.id.clone(),
            });
            view.listed(&index, key.as_ref(), limit)
        })
    };
    let sorted_by = |key: fn(&Task) -> (Millis, TaskId)| {
        let mut sorted: Vec<&Task> = tasks.iter().collect();
        sorted.sort_by_key(|task| key(task));
        sorted
            .iter()
            .map(|task| task.id.to_string())
            .collect::<Vec<_>>()
    };
    let oldest = sorted_by(|task| (task.created_at, task.id.clone()));
    let mut newest = oldest.clone();
    newest.reverse();
    let mut updated = sorted_by(|task| (task.updated_at, task.id.clone()));
    updated.reverse();
    assert_eq!(
        list(ListIndex::All(ListOrder::Priority)),
        in_order(&tasks, |_| true)
    );
    assert_eq!(list(ListIndex::All(ListOrder::Oldest)), oldest);
    assert_eq!(list(ListIndex::All(ListOrder::Newest)), newest);
    assert_eq!(list(ListIndex::All(ListOrder::Updated)), updated);
    for status in Status::ALL {
        let expected = in_order(&tasks, |task| task.status == *status);
        assert_eq!(list(ListIndex::Status(*status)), expected);
    }
    for assignee in [None, Some(name("ann")), Some(name("eve"))] {
        let expected = in_order(&tasks, |task| task.assignee == assignee);
        assert_eq!(list(ListIndex::Assignee(assignee)), expected);
    }
    for tenant in ["acme", "other"] {
        let tenant = label(tenant);
        let expected = in_order(&tasks, |task| task.tenant.as_ref() == Some(&tenant));
        assert_eq!(list(ListIndex::Tenant(tenant)), expected);
    }
}

pub(crate) fn lanes_hold_the_claimable_tasks_in_order(open: OpenEngine) {
    let mut tasks = crowd();
    for (at, task) in tasks.iter_mut().enumerate() {
        task.waiting = at % 5 == 0;
    }
    let fixture = board(open, &tasks);
    for phase in [Phase::Work, Phase::Review] {
        let status = phase.claimable_status();
        for tenant in [None, Some(label("acme")), Some(label("other"))] {
            let claimable = |task: &Task| {
                let of_tenant = tenant.is_none() || task.tenant == tenant;
                task.status == status && !task.waiting && of_tenant
            };
            let mut expected: Vec<_> = tasks.iter().filter(|task| claimable(task)).collect();
            expected.sort_by_key(|task| (task.assignee.clone(), PriorityKey::of(task)));
            let head = |task: &&Task| LaneHead {
                assignee: task.assignee.clone(),
                first: PriorityKey::of(task),
            };
            let mut lanes: Vec<_> = expected.iter().map(head).collect();
            lanes.dedup_by_key(|lane| lane.assignee.clone());
            let found = ask(fixture.engine(), |view| {
                view.lanes(phase, tenant.as_ref(), None, 10)
            });
            assert_eq!(found, lanes);
            for assignee in [None, Some(name("ann")), Some(name("eve"))] {
                let lane = Lane {
                    phase,
                    tenant: tenant.clone(),
                    assignee: assignee.clone(),
                };
                let expected =
                    in_order(&tasks, |task| claimable(task) && task.assignee == assignee);
                let found = pages(&fixture, |view, after, limit| {
                    let key = after.map(PriorityKey::of);
                    view.claimable(&lane, key.as_ref(), limit)
                });
                assert_eq!(found, expected, "{lane:?}");
            }
        }
    }
}

pub(crate) fn lanes_are_found_page_by_page(open: OpenEngine) {
    let mut tasks: Vec<Task> = ["zed", "ann", "bob"]
        .iter()
        .flat_map(|who| (0..3).map(move |at| (who, at)))
        .map(|(who, at)| Task {
            assignee: Some(name(who)),
            ..task(&format!("t_{who}_{at}"))
        })
        .collect();
    tasks.push(task("t_nobody"));
    let fixture = board(open, &tasks);
    let lanes = |after: Option<&Option<Assignee>>, limit: usize| {
        ask(fixture.engine(), |view| {
            view.lanes(Phase::Work, None, after, limit)
        })
    };
    let head = |id: &str| {
        let first = tasks.iter().find(|task| task.id.as_str() == id).unwrap();
        LaneHead {
            assignee: first.assignee.clone(),
            first: PriorityKey::of(first),
        }
    };
    let all = ["t_nobody", "t_ann_0", "t_bob_0", "t_zed_0"].map(head);
    assert_eq!(lanes(None, 10), all);
    assert_eq!(lanes(None, 0), []);
    assert_eq!(lanes(None, 1), all[..1]);
    assert_eq!(lanes(None, 2), all[..2]);
    assert_eq!(lanes(Some(&all[0].assignee), 1), all[1..2]);
    assert_eq!(lanes(Some(&all[1].assignee), 10), all[2..]);
    assert_eq!(lanes(Some(&all[3].assignee), 10), []);
    assert_eq!(
        lanes(Some(&Some(name("b"))), 10),
        all[2..],
        "after a lane that is gone"
    );
    let review = ask(fixture.engine(), |view| {
        view.lanes(Phase::Review, None, None, 10)
    });
    assert_eq!(review, []);
}

pub(crate) fn times_are_reached_in_order_up_to_and_with_the_one_asked_for(open: OpenEngine) {
    let at = |time: i64, name: &str| Task {
        wake_at: Some(Millis::new(time)),
        status: Status::Scheduled,
        ..task(name)
    };
    let claim = |time: i64| Claim {
        run: RunId::new(1),
        claimant: label("w"),
        expires_at: Millis::new(time),
        must_end_by: None,
        heartbeat_at: None,
        worker: None,
        request_id: None,
    };
    let names = [
        ("t_b", 5),
        ("t_a", 5),
        ("t_c", 4),
        ("t_d", 6),
        ("t_e", i64::MIN),
    ];
    let mut tasks = Vec::new();
    for (name, time) in names {
        tasks.push(at(time, &format!("{name}_due")));
        tasks.push(Task {
            waiting: true,
            not_before: Some(Millis::new(time)),
            ..task(&format!("{name}_waiting"))
        });
        tasks.push(Task {
            status: Status::Running,
            claim: Some(claim(time)),
            ..task(&format!("{name}_expired"))
        });
        tasks.push(Task {
            status: Status::Done,
            settled_at: Some(Millis::new(time)),
            collectable: true,
            ..task(&format!("{name}_collectable"))
        });
    }
    // What none of the questions may find.
    tasks.push(task("t_never"));
    tasks.push(Task {
        not_before: Some(Millis::new(0)),
        settled_at: Some(Millis::new(0)),
        ..task("t_unmarked")
    });
    let fixture = board(open, &tasks);
    let expected = |what: &str, count: usize| -> Vec<String> {
        let names = ["t_e", "t_c", "t_a", "t_b", "t_d"];
        names[..count]
            .iter()
            .map(|name| format!("{name}_{what}"))
            .collect()
    };
    let found = |what: &str, until: i64, limit: usize| {
        let until = Millis::new(until);
        let found = ask(fixture.engine(), |view| match what {
            "due" => view.due(until, limit),
            "waiting" => view.waiting(until, limit),
            "expired" => view.expired(until, limit),
            _ => view.collectable(until, None, limit),
        });
        found
            .iter()
            .map(|task| task.id.to_string())
            .collect::<Vec<_>>()
    };
    for what in ["due", "waiting", "expired", "collectable"] {
        assert_eq!(found(what, 5, 100), expected(what, 4));
        assert_eq!(found(what, 5, 2), expected(what, 2));
        assert_eq!(found(what, i64::MAX, 100), expected(what, 5));
        assert_eq!(found(what, 3, 100), expected(what, 1));
    }
    let (c, a) = (id("t_c_collectable"), id("t_a_collectable"));
    ask(fixture.engine(), |view| {
        let until = Millis::new(5);
        let after = view.collectable(until, Some((Millis::new(4), &c)), 100)?;
        assert_eq!(ids(&after), ["t_a_collectable", "t_b_collectable"]);
        let after = view.collectable(until, Some((Millis::new(5), &a)), 100)?;
        assert_eq!(ids(&after), ["t_b_collectable"]);
        assert_eq!(view.oldest_ready()?, Some(Millis::new(10)));
        Ok(())
    });
}

pub(crate) fn keys_find_the_task_that_holds_them(open: OpenEngine) {
    let holder = Task {
        idempotency_key: Some(label("key")),
        status: Status::Running,
        claim: Some(Claim {
            run: RunId::new(1),
            claimant: label("w"),
            expires_at: Millis::new(1),
            must_end_by: None,
            heartbeat_at: None,
            worker: None,
            request_id: Some(label("request")),
        }),
        ..task("t_holder")
    };
    let fixture = board(open, &[holder.clone(), task("t_other")]);
    let found = || {
        ask(fixture.engine(), |view| {
            let by_key = view.task_by_key(&label("key"))?;
            Ok((by_key, view.claimed_by_request(&label("request"))?))
        })
    };
    assert_eq!(found(), (Some(id("t_holder")), Some(id("t_holder"))));
    let archived = Task {
        status: Status::Archived,
        claim: None,
        ..holder.clone()
    };
    write(fixture.engine(), &[changed(&holder, &archived)]);
    assert_eq!(found(), (None, None), "an archived task holds no key");
    let next = Task {
        idempotency_key: Some(label("key")),
        ..task("t_next")
    };
    write(fixture.engine(), &[new_task(&next)]);
    assert_eq!(found(), (Some(id("t_next")), None));
}

pub(crate) fn counters_follow_status_and_assignee(open: OpenEngine) {
    let mut tasks = crowd();
    let fixture = board(open, &tasks);
    let rows = || ask(fixture.engine(), |view| view.counts());
    let recount = |tasks: &[Task]| {
        let mut rows: Vec<StatsRow> = Vec::new();
        for status in Status::ALL {
            for assignee in [None, Some(name("ann")), Some(name("bob"))] {
                let is = |task: &&Task| task.status == *status && task.assignee == assignee;
                let count = tasks.iter().filter(is).count() as u64;
                if count > 0 {
                    rows.push(StatsRow {
                        status: *status,
                        assignee,
                        tasks: count,
                    });
                }
            }
        }
        rows
    };
    assert_eq!(rows(), recount(&tasks));
    for (at, task) in tasks.iter_mut().enumerate() {
        let before = task.clone();
        task.status = Status::ALL[at % Status::ALL.len()];
        task.assignee = (at % 2 == 1).then(|| name("ann"));
        write(fixture.engine(), &[changed(&before, task)]);
    }
    assert_eq!(rows(), recount(&tasks));
    for status in Status::ALL {
        let of_status = |row: &&StatsRow| row.status == *status;
        let counted = recount(&tasks);
        let total: u64 = counted.iter().filter(of_status).map(|row| row.tasks).sum();
        ask(fixture.engine(), |view| {
            assert_eq!(view.count_in_status(*status)?, total);
            let nobody = view.count_of(*status, None)?;
            let ann = view.count_of(*status, Some(&name("ann")))?;
            assert_eq!(nobody + ann, total);
            Ok(())
        });
    }
    assert_eq!(fixture.engine().check(10).unwrap(), []);
}

pub(crate) fn links_are_found_from_both_ends(open: OpenEngine) {
    let names = ["t_a", "t_b", "t_c", "t_d"];
    let fixture = board(open, &names.map(task));
    let link = |parent: &str, child: &str| Link {
        parent: id(parent),
        child: id(child),
    };
    let links = [
        link("t_a", "t_b"),
        link("t_a", "t_c"),
        link("t_a", "t_d"),
        link("t_b", "t_d"),
        link("t_c", "t_d"),
    ];
    let changes: Vec<Change> = links.iter().rev().cloned().map(Change::AddLink).collect();
    write(fixture.engine(), &changes);
    ask(fixture.engine(), |view| {
        assert_eq!(view.links(None, 10)?, links);
        assert_eq!(view.links(Some(&links[1]), 2)?, links[2..4]);
        assert_eq!(view.links(Some(&link("t_a", "t_zzz")), 1)?, links[3..4]);
        let (a, b, d) = (id("t_a"), id("t_b"), id("t_d"));
        assert_eq!(
            view.children(&a, None, 10)?,
            [id("t_b"), id("t_c"), id("t_d")]
        );
        assert_eq!(view.children(&a, Some(&b), 1)?, [id("t_c")]);
        assert_eq!(
            view.parents(&d, None, 10)?,
            [id("t_a"), id("t_b"), id("t_c")]
        );
        assert_eq!(view.parents(&d, Some(&b), 10)?, [id("t_c")]);
        assert_eq!(view.parents(&a, None, 10)?, []);
        assert_eq!(view.count_children(&a, 10)?, 3);
        assert_eq!(view.count_children(&a, 2)?, 2);
        assert_eq!(view.count_children(&d, 10)?, 0);
        assert!(view.has_link(&links[0])?);
        assert!(!view.has_link(&link("t_b", "t_a"))?);
        Ok(())
    });
    write(fixture.engine(), &[Change::RemoveLink(links[0].clone())]);
    assert_eq!(
        ask(fixture.engine(), |view| view.links(None, 10)),
        links[1..]
    );
}

pub(crate) fn runs_events_comments_and_attachments_are_walked_by_number(open: OpenEngine) {
    let fixture = board(open, &[task("t_a"), task("t_b")]);
    let owner = |number: u64| {
        id(if number.is_multiple_of(2) {
            "t_a"
        } else {
            "t_b"
        })
    };
    for number in 0..6 {
        let run = Run {
            id: RunId::new(number),
            task: owner(number),
            phase: Phase::Work,
            assignee: None,
            claimant: None,
            request_id: None,
            worker: None,
            started_at: Millis::new(0),
            ended_at: None,
            outcome: None,
            ended_by: None,
            summary: (number < 4).then(|| Note::new("summary", "s").unwrap()),
            error: None,
            metadata: None,
        };
        let event = Event {
            id: EventId::new(number + 1),
            seq: Seq::new(1),
            at: Millis::new(0),
            task: Some(owner(number)).filter(|_| number > 0),
            run: None,
            actor: None,
            kind: EventKind::Created,
            data: JsonObject::default(),
        };
        let comment = Comment {
            id: CommentId::new(number),
            task: owner(number),
            author: label("ann"),
            body: Note::new("body", "b").unwrap(),
            at: Millis::new(0),
            request_id: None,
        };
        let attachment = Attachment {
            id: AttachmentId::new(number),
            task: owner(number),
            file_name: label("f"),
            uri: Address::new("uri", "u").unwrap(),
            media_type: None,
            size: None,
            by: None,
            at: Millis::new(0),
            request_id: None,
        };
        let changes = [
            Change::Run {
                before: None,
                after: Box::new(run),
            },
            Change::AddEvent(Box::new(event)),
            Change::AddComment(Box::new(comment)),
            Change::AddAttachment(Box::new(attachment)),
        ];
        write(fixture.engine(), &changes);
    }
    let a = id("t_a");
    ask(fixture.engine(), |view| {
        let runs = |runs: Vec<Run>| runs.iter().map(|run| run.id.get()).collect::<Vec<_>>();
        assert_eq!(runs(view.runs(None, 100)?), [0, 1, 2, 3, 4, 5]);
        assert_eq!(runs(view.runs(Some(RunId::new(3)), 1)?), [4]);
        assert_eq!(runs(view.runs_of(&a, None, 100)?), [0, 2, 4]);
        assert_eq!(runs(view.runs_of(&a, Some(RunId::new(0)), 1)?), [2]);
        assert_eq!(runs(view.runs(Some(RunId::new(u64::MAX)), 1)?), [0; 0]);
        let last = view.last_summarised_run(&a)?.map(|run| run.id.get());
        assert_eq!(last, Some(2), "a newer run has no summary");
        let events = |found: Vec<Event>| found.iter().map(|e| e.id.get()).collect::<Vec<_>>();
        assert_eq!(events(view.events(EventId::new(4), 10)?), [5, 6]);
        assert_eq!(events(view.events_of(&a, EventId::new(0), 10)?), [3, 5]);
        assert_eq!(events(view.events_of(&a, EventId::new(3), 10)?), [5]);
        assert_eq!(view.last_event_of(&a)?, Some(EventId::new(5)));
        assert_eq!(view.last_event_of(&id("t_c"))?, None);
        let comments = view.comments_of(&a, Some(CommentId::new(0)), 10)?;
        let comments: Vec<u64> = comments.iter().map(|comment| comment.id.get()).collect();
        assert_eq!(comments, [2, 4]);
        assert_eq!(view.comments(Some(CommentId::new(1)), 2)?.len(), 2);
        let attachments = view.attachments_of(&a, None, 2)?;
        let attachments: Vec<u64> = attachments.iter().map(|a| a.id.get()).collect();
        assert_eq!(attachments, [0, 2]);
        assert_eq!(view.attachments(Some(AttachmentId::new(5)), 2)?, []);
        Ok(())
    });
}

pub(crate) fn subscriptions_are_told_apart_by_their_whole_place(open: OpenEngine) {
    let fixture = board(open, &[task("t_a")]);
    let place = |number: u64, scope: Scope, thread: Option<&str>| Subscription {
        id: SubscriptionId::new(number),
        scope,
        channel: label("c"),
        address: Address::new("address", "a").unwrap(),
        thread: thread.map(label),
        kinds: Vec::new(),
        routing: None,
        mode: SubscriptionMode::Notify,
        created_at: Millis::new(0),
        cursor: EventId::new(0),
        attempts: 0,
        lease: None,
        acked: None,
        retry_at: None,
    };
    let all = [
        place(1, Scope::Board, None),
        place(2, Scope::Board, Some("1")),
        place(3, Scope::Task(id("t_a")), None),
        place(4, Scope::Task(id("t_a")), Some("1")),
        place(5, Scope::Task(id("t_b")), None),
    ];
    let changes: Vec<Change> = all
        .iter()
        .map(|one| Change::Subscription {
            before: None,
            after: Some(Box::new(one.clone())),
        })
        .collect();
    write(fixture.engine(), &changes);
    ask(fixture.engine(), |view| {
        for one in &all {
            let thread = one.thread.as_ref();
            let found = view.subscription_at(&one.scope, &one.channel, &one.address, thread)?;
            assert_eq!(found.as_ref(), Some(one));
            assert_eq!(view.subscription(one.id)?.as_ref(), Some(one));
        }
        let other = Address::new("address", "b").unwrap();
        assert_eq!(
            view.subscription_at(&Scope::Board, &label("c"), &other, None)?,
            None
        );
        assert_eq!(view.subscriptions_of(&Scope::Board, None, 10)?, all[..2]);
        let a = Scope::Task(id("t_a"));
        assert_eq!(
            view.subscriptions_of(&a, Some(SubscriptionId::new(3)), 10)?,
            all[3..4]
        );
        assert_eq!(
            view.subscriptions(Some(SubscriptionId::new(1)), 2)?,
            all[1..3]
        );
        Ok(())
    });
}

pub(crate) fn all_rows_are_counted(open: OpenEngine) {
    let fixture = board(open, &[]);
    let count = || ask(fixture.engine(), |view| view.count_rows());
    assert_eq!(count(), 0);
    let tasks: Vec<Task> = (0..1001).map(|one| task(&format!("t_{one:04}"))).collect();
    let changes: Vec<Change> = tasks.iter().map(new_task).collect();
    write(fixture.engine(), &changes);
    assert_eq!(count(), 1001);
    let link = Link {
        parent: id("t_0001"),
        child: id("t_0002"),
    };
    write(fixture.engine(), &[Change::AddLink(link.clone())]);
    assert_eq!(count(), 1002);
    write(fixture.engine(), &[Change::RemoveLink(link)]);
    assert_eq!(count(), 1001);
}
