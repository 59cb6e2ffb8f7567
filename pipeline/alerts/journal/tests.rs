use std::collections::HashSet;

use super::*;
use crate::types::{EvidenceState, Kind, Localized, Severity, Unit};

/// An event of a made-up crowd alert.
pub(crate) fn sample_event(alert: AlertId, seq: u32, state: State) -> Event {
    let start: jiff::Timestamp = "2026-11-24T03:00:12.400Z".parse().unwrap();
    Event {
        schema: crate::types::event::SCHEMA,
        alert: Some(alert),
        seq,
        state,
        at: start + jiff::SignedDuration::from_secs(i64::from(seq)),
        media_time: 12.4 + f64::from(seq),
        site: "weibei".into(),
        grid: Some("shizhong-03".into()),
        camera: Some("forecourt".into()),
        camera_name: Some("Courthouse forecourt".into()),
        zone: Some("steps".into()),
        zone_name: Some("Entrance steps".into()),
        line: None,
        direction: None,
        rule: Some("steps-crowd".into()),
        kind: Kind::Crowd,
        severity: Some(Severity::Moderate),
        value: 7.0,
        threshold: 6.0,
        unit: Unit::People,
        people: 7,
        peak: 7.0,
        saturated: false,
        started_at: Some(start),
        condition_since: Some(start),
        condition_until: None,
        place_in_picture: None,
        bbox: None,
        place: None,
        reason: None,
        related: Vec::new(),
        evidence: EvidenceState::NONE,
        text: Localized { zh: "入口台阶有 7 人".into(), en: "7 people on Entrance steps".into() },
        links: None,
        overdue: None,
        test: false,
    }
}

fn id(n: u8) -> AlertId {
    AlertId([n; 16])
}

fn item(n: u8, seq: u32, state: State, sinks: &[&str]) -> Appended {
    Appended::new(sample_event(id(n), seq, state), sinks.iter().map(|s| (*s).to_owned()).collect())
}

fn open(folder: &Path) -> Journal {
    Journal::open(folder, &["a".to_owned(), "b".to_owned()]).unwrap()
}

fn due(outbox: &mut Outbox, sink: &str) -> Vec<String> {
    let due = outbox.due(sink, &HashSet::new(), 100).unwrap();
    due.deliveries.iter().map(|d| format!("{}.{}", d.event.alert.unwrap().0[0], d.event.seq)).collect()
}

fn settle_all(outbox: &mut Outbox, sink: &str) {
    let due = outbox.due(sink, &HashSet::new(), 100).unwrap();
    let settled: Vec<Settled> =
        due.deliveries.iter().map(|d| Settled { id: d.id, verdict: Verdict::Delivered }).collect();
    outbox.settle(&settled).unwrap();
}

#[test]
fn events_come_back_as_they_were_written() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    let batch = [item(1, 0, State::Started, &["a"]), item(2, 0, State::Started, &[]), item(1, 1, State::Ended, &["a"])];
    let done = journal.append(&batch).unwrap();
    assert_eq!(done, Committed { events: 3, deliveries: 2, ..Committed::default() });
    let reader = Reader::open(folder.path()).unwrap();
    let list = reader.list(&AlertFilter::default()).unwrap();
    assert_eq!(list.iter().map(|a| a.alert).collect::<Vec<_>>(), [id(2), id(1)], "newest first");
    assert_eq!((list[0].ended_at, list[1].ended_at), (None, Some(batch[2].event.at)));
    assert_eq!(list[1].last, batch[2].event);
    let story = reader.show(id(1)).unwrap().unwrap();
    assert_eq!(story.events, [batch[0].event.clone(), batch[2].event.clone()]);
    assert!(reader.show(id(9)).unwrap().is_none());
}

#[test]
fn a_repeated_batch_is_written_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    let batch = [item(1, 0, State::Started, &["a"])];
    journal.append(&batch).unwrap();
    let again = journal.append(&batch).unwrap();
    assert_eq!(again, Committed { repeated: 1, ..Committed::default() });
    assert_eq!(due(&mut journal.outbox().unwrap(), "a"), ["1.0"]);
}

#[test]
fn counts_are_not_journalled() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    let mut count = item(1, 0, State::Counted, &["a"]);
    count.event.alert = None;
    assert_eq!(journal.append(&[count]).unwrap(), Committed::default());
}

#[test]
fn filters_narrow_and_pages_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    let mut batch: Vec<Appended> = (1..=5).map(|n| item(n, 0, State::Started, &[])).collect();
    batch[1].event.camera = Some("shore".into());
    batch[2].event.kind = Kind::Loitering;
    batch[3].event.severity = Some(Severity::Severe);
    batch[4].event.started_at = Some("2026-11-25T00:00:00Z".parse().unwrap());
    journal.append(&batch).unwrap();
    journal.append(&[item(1, 1, State::Ended, &[])]).unwrap();
    let reader = journal.reader().unwrap();
    let ids = |filter: AlertFilter| reader.list(&filter).unwrap().iter().map(|a| a.alert.0[0]).collect::<Vec<_>>();
    let base = AlertFilter::default;
    assert_eq!(ids(AlertFilter { camera: Some("shore".into()), ..base() }), [2]);
    assert_eq!(ids(AlertFilter { kind: Some(Kind::Loitering), ..base() }), [3]);
    assert_eq!(ids(AlertFilter { min_severity: Some(Severity::Severe), ..base() }), [4]);
    assert_eq!(ids(AlertFilter { since: Some("2026-11-24T12:00:00Z".parse().unwrap()), ..base() }), [5]);
    assert_eq!(ids(AlertFilter { until: Some("2026-11-24T12:00:00Z".parse().unwrap()), ..base() }), [4, 3, 2, 1]);
    assert_eq!(ids(AlertFilter { open: true, ..base() }), [5, 4, 3, 2]);
    assert_eq!(ids(AlertFilter { zone: Some("nowhere".into()), ..base() }), [0_u8; 0]);
    assert_eq!(ids(AlertFilter { limit: 2, ..base() }), [5, 4]);
    assert_eq!(ids(AlertFilter { limit: 2, after: Some(id(4)), ..base() }), [3, 2]);
    assert_eq!(reader.find("0404").unwrap(), [id(4)]);
    assert_eq!(reader.find("0").unwrap().len(), 2, "enough to see that it names several");
}

#[test]
fn an_alert_is_in_order_for_each_sink_and_others_pass() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    let batch = [
        item(1, 0, State::Started, &["a"]),
        item(2, 0, State::Started, &["a", "b"]),
        item(1, 1, State::Evidence, &["a"]),
        item(1, 2, State::Ended, &["a"]),
    ];
    journal.append(&batch).unwrap();
    let mut outbox = journal.outbox().unwrap();
    assert_eq!(due(&mut outbox, "a"), ["1.0", "2.0"]);
    assert_eq!(due(&mut outbox, "b"), ["2.0"]);
    settle_all(&mut outbox, "a");
    assert_eq!(due(&mut outbox, "a"), ["1.1"]);
    settle_all(&mut outbox, "a");
    assert_eq!(due(&mut outbox, "a"), ["1.2"]);
    assert_eq!(due(&mut outbox, "b"), ["2.0"], "another sink is another matter");
    assert_eq!(outbox.waiting("a").unwrap().0, 1);
}

#[test]
fn a_sink_that_heard_of_an_alert_hears_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    journal.append(&[item(1, 0, State::Started, &["b"])]).unwrap();
    journal.append(&[item(1, 1, State::Ended, &[])]).unwrap();
    let mut outbox = journal.outbox().unwrap();
    settle_all(&mut outbox, "b");
    assert_eq!(due(&mut outbox, "b"), ["1.1"]);
    assert_eq!(due(&mut outbox, "a"), [""; 0]);
}

#[test]
fn an_overtaken_update_is_skipped_but_never_a_start_or_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    let states = [State::Started, State::Updated, State::Updated, State::Evidence, State::Ended, State::Evidence];
    let batch: Vec<Appended> = (0..).zip(states).map(|(seq, state)| item(1, seq, state, &["a"])).collect();
    journal.append(&batch).unwrap();
    let mut outbox = journal.outbox().unwrap();
    let first = outbox.due("a", &HashSet::new(), 10).unwrap();
    assert_eq!((first.skipped, first.deliveries.len()), (1, 1));
    for want in ["1.0", "1.2", "1.3", "1.4", "1.5"] {
        assert_eq!(due(&mut outbox, "a"), [want]);
        settle_all(&mut outbox, "a");
    }
    let story = journal.reader().unwrap().show(id(1)).unwrap().unwrap();
    let outcomes: Vec<&str> = story.deliveries.iter().map(|d| d.outcome).collect();
    assert_eq!(outcomes, ["delivered", "skipped", "delivered", "delivered", "delivered", "delivered"]);
}

#[test]
fn a_failed_delivery_waits_and_a_dead_one_lets_the_next_pass() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    journal.append(&[item(1, 0, State::Started, &["a"]), item(1, 1, State::Ended, &["a"])]).unwrap();
    let mut outbox = journal.outbox().unwrap();
    let head = outbox.due("a", &HashSet::new(), 10).unwrap().deliveries.remove(0);
    let later = now_micros() + 60_000_000;
    let again = Verdict::Again { due: later, error: "503".into() };
    outbox.settle(&[Settled { id: head.id, verdict: again }]).unwrap();
    let waits = outbox.due("a", &HashSet::new(), 10).unwrap();
    assert_eq!((waits.deliveries.len(), waits.next), (0, Some(later)));
    assert_eq!(outbox.hasten("a").unwrap(), 1);
    let head = outbox.due("a", &HashSet::new(), 10).unwrap().deliveries.remove(0);
    assert_eq!((head.attempts, head.event.seq), (1, 0));
    let held = HashSet::from([head.id]);
    assert!(outbox.due("a", &held, 10).unwrap().deliveries.is_empty(), "its successor waits for it");
    outbox.settle(&[Settled { id: head.id, verdict: Verdict::Dead { error: "503".into() } }]).unwrap();
    assert_eq!(due(&mut outbox, "a"), ["1.1"]);
    let reader = journal.reader().unwrap();
    let dead = reader.dead_letters(None).unwrap();
    assert_eq!((dead.len(), dead[0].attempts, dead[0].error.as_deref()), (1, 2, Some("503")));
    assert_eq!(reader.dead_letters(Some("b")).unwrap(), []);
    assert_eq!(outbox.bury("a", "410").unwrap(), 1);
    assert_eq!(reader.dead_letters(Some("a")).unwrap().len(), 2);
}

#[test]
fn a_full_outbox_drops_the_oldest_that_neither_starts_nor_ends_an_alert() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path()).with_outbox_rows(4);
    let two = |n: u8, seq: u32, state: State| [item(n, seq, State::Started, &["a", "b"]), item(n, seq + 1, state, &[])];
    assert_eq!(journal.append(&two(1, 0, State::Evidence)).unwrap().dropped, 0);
    settle_all(&mut journal.outbox().unwrap(), "b");
    assert_eq!(journal.append(&two(2, 0, State::Updated)).unwrap().dropped, 0, "four wait for a");
    assert_eq!(journal.append(&two(3, 0, State::Evidence)).unwrap().dropped, 3, "two for a, and one for b");
    assert_eq!(journal.append(&two(4, 0, State::Ended)).unwrap().dropped, 3, "the last for a, two for b");
    assert_eq!(journal.append(&two(5, 0, State::Ended)).unwrap().dropped, 0, "nothing is left to drop");
    let (reader, outbox) = (journal.reader().unwrap(), journal.outbox().unwrap());
    let outcomes = |n: u8| {
        let rows = reader.show(id(n)).unwrap().unwrap().deliveries;
        rows.iter().filter(|d| d.sink == "a").map(|d| d.outcome).collect::<Vec<_>>()
    };
    for dropped in 1..=3 {
        assert_eq!(outcomes(dropped), ["waiting", "dropped"]);
    }
    assert_eq!((outcomes(4), outcomes(5)), (vec!["waiting"; 2], vec!["waiting"; 2]));
    assert_eq!(outbox.waiting("a").unwrap().0, 7, "starts and ends wait, however many");
}

#[test]
fn what_waits_for_a_removed_sink_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    journal.append(&[item(1, 0, State::Started, &["a", "b"]), item(2, 0, State::Started, &["b"])]).unwrap();
    assert_eq!(journal.retire_removed_sinks().unwrap(), 0);
    drop(journal);
    let mut journal = Journal::open(folder.path(), &["a".to_owned()]).unwrap();
    assert_eq!(journal.retire_removed_sinks().unwrap(), 2);
    let dead = journal.reader().unwrap().dead_letters(None).unwrap();
    assert_eq!(dead.iter().map(|d| (d.alert, d.sink.as_str())).collect::<Vec<_>>(), [(id(1), "b"), (id(2), "b")]);
    assert!(dead.iter().all(|d| d.error.as_deref() == Some("the sink was removed from the configuration")));
}

#[test]
fn a_probe_takes_what_is_due_next_and_leaves_it_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    journal.append(&[item(1, 0, State::Started, &["a"]), item(2, 0, State::Started, &["a"])]).unwrap();
    let mut outbox = journal.outbox().unwrap();
    let hour = now_micros() + 3_600_000_000;
    let deliveries = outbox.due("a", &HashSet::new(), 10).unwrap().deliveries;
    let later = |id: i64, due: i64| Settled { id, verdict: Verdict::Again { due, error: "503".into() } };
    outbox.settle(&[later(deliveries[0].id, hour + 5), later(deliveries[1].id, hour)]).unwrap();
    assert_eq!(outbox.due("a", &HashSet::new(), 10).unwrap().next, Some(hour));
    let probe = outbox.next("a").unwrap().unwrap();
    assert_eq!((probe.event.alert, probe.due, probe.attempts), (Some(id(2)), hour, 1));
    outbox.settle(&[Settled { id: probe.id, verdict: Verdict::Waits { error: "still 503".into() } }]).unwrap();
    let row = journal.reader().unwrap().show(id(2)).unwrap().unwrap().deliveries.remove(0);
    assert_eq!((row.outcome, row.attempts, row.error.as_deref()), ("waiting", 1, Some("still 503")));
    assert_eq!(outbox.next("a").unwrap().unwrap().due, hour);
    assert!(outbox.next("b").unwrap().is_none());
}

#[test]
fn open_alerts_are_found_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    journal
        .append(&[item(1, 0, State::Started, &[]), item(2, 0, State::Started, &[]), item(1, 1, State::Updated, &[])])
        .unwrap();
    journal.append(&[item(2, 1, State::Ended, &[])]).unwrap();
    drop(journal);
    let journal = open(folder.path());
    let open = journal.open_alerts().unwrap();
    assert_eq!(open.iter().map(|e| (e.alert, e.seq)).collect::<Vec<_>>(), [(Some(id(1)), 1)]);
}

#[test]
fn two_writers_of_one_directory_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(folder.path());
    let error = Journal::open(folder.path(), &[]).err().unwrap();
    assert!(matches!(error, JournalError::InUse { .. }) && !error.retry(), "{error}");
    drop(journal);
    open(folder.path());
}

#[test]
fn a_newer_or_damaged_or_missing_journal_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let missing = Reader::open(folder.path()).err().unwrap();
    assert!(matches!(missing, JournalError::Missing { .. }), "{missing}");
    drop(open(folder.path()));
    let raw = Connection::open(folder.path().join(FILE)).unwrap();
    raw.pragma_update(None, "user_version", 99).unwrap();
    drop(raw);
    for error in [Journal::open(folder.path(), &[]).err().unwrap(), Reader::open(folder.path()).err().unwrap()] {
        assert!(matches!(error, JournalError::Newer { found: 99, .. }) && !error.retry(), "{error}");
    }
    for file in ["lookout.db-wal", "lookout.db-shm"] {
        fs::remove_file(folder.path().join(file)).ok();
    }
    fs::write(folder.path().join(FILE), "this is not a database, it only has the name of one. ".repeat(40)).unwrap();
    let damaged = Journal::open(folder.path(), &[]).err().unwrap();
    assert!(matches!(damaged, JournalError::Damaged(_)) && !damaged.retry(), "{damaged}");
}

/// A full disk by SQLite's own page limit, which gives the same error.
#[test]
fn a_full_disk_loses_nothing_that_fits_the_backlog() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    let pages: i64 = journal.connection.pragma_query_value(None, "page_count", |r| r.get(0)).unwrap();
    journal.connection.pragma_update(None, "max_page_count", pages).unwrap();
    let mut backlog = Backlog::new(600);
    for n in 0..=255_u8 {
        assert_eq!(backlog.push(item(n, 0, State::Started, &["a"])), 0);
    }
    let error = backlog.flush(&mut journal, |_, _| panic!("nothing is on disk")).err().unwrap();
    assert!(matches!(error, JournalError::Full) && error.retry(), "{error}");
    assert_eq!(backlog.len(), 256);
    journal.connection.pragma_update(None, "max_page_count", 1_000_000).unwrap();
    let mut announced = Vec::new();
    backlog.flush(&mut journal, |batch, _| announced.extend(batch.iter().map(|i| i.event.alert))).unwrap();
    assert!(backlog.is_empty());
    assert_eq!(announced, (0..=255).map(|n| Some(id(n))).collect::<Vec<_>>(), "in order");
    assert_eq!(journal.open_alerts().unwrap().len(), 256);
}

#[test]
fn a_locked_journal_is_worth_a_retry() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    journal.connection.busy_timeout(std::time::Duration::from_millis(10)).unwrap();
    let other = Connection::open(folder.path().join(FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = journal.append(&[item(1, 0, State::Started, &[])]).err().unwrap();
    assert!(matches!(error, JournalError::Busy) && error.retry(), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    journal.append(&[item(1, 0, State::Started, &[])]).unwrap();
}

#[test]
fn a_read_only_journal_is_worth_a_retry() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    journal.connection.pragma_update(None, "query_only", "ON").unwrap();
    let error = journal.append(&[item(1, 0, State::Started, &[])]).err().unwrap();
    assert!(matches!(error, JournalError::ReadOnly) && error.retry(), "{error}");
}

#[test]
fn a_full_backlog_gives_up_updates_before_starts_and_ends() {
    let mut backlog = Backlog::new(3);
    let states = [State::Started, State::Updated, State::Started];
    for (seq, state) in (0..).zip(states) {
        assert_eq!(backlog.push(item(1, seq, state, &[])), 0);
    }
    assert_eq!(backlog.push(item(2, 0, State::Ended, &[])), 1, "the update gave way");
    assert_eq!(backlog.push(item(3, 0, State::Ended, &[])), 1, "nothing can give way");
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    let mut written = Vec::new();
    backlog
        .flush(&mut journal, |batch, _| {
            written.extend(batch.iter().map(|i| (i.event.alert.unwrap().0[0], i.event.seq)))
        })
        .unwrap();
    assert_eq!(written, [(1, 0), (1, 2), (2, 0)]);
}

fn watched(n: u8, route: &str, within: Option<i64>) -> Appended {
    let watches = vec![Watch { route: route.into(), within: within.map(crate::types::Span::from_secs) }];
    Appended { watches, ..item(n, 0, State::Started, &["a"]) }
}

fn by(who: &str) -> By {
    By { via: Via::Token, who: who.into() }
}

fn taken(recorded: Recorded) -> Taken {
    match recorded {
        Recorded::Taken(taken) => taken,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_waits_for_a_time_moves_with_a_clock_that_is_set() {
    const HOUR: jiff::SignedDuration = jiff::SignedDuration::from_hours(1);
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    let begin = jiff::Timestamp::now();
    journal.append(&[watched(1, "squad", Some(60))]).unwrap();
    let passed = |journal: &Journal, at: jiff::Timestamp| {
        journal.passed(at, 10).unwrap().iter().map(|p| p.within.secs_f64() as i64).collect::<Vec<_>>()
    };
    let seconds = jiff::SignedDuration::from_secs;
    // Forward: what was announced before has as long as it had; what was announced since knows the clock as it is.
    assert_eq!(journal.follow_clock(HOUR, begin + HOUR - seconds(1), begin + HOUR).unwrap(), 1);
    assert_eq!(passed(&journal, begin + HOUR + seconds(50)), [0_i64; 0]);
    assert_eq!(passed(&journal, begin + HOUR + seconds(70)), [60]);
    assert_eq!(journal.follow_clock(-HOUR, begin + HOUR - seconds(2), begin + HOUR + seconds(2)).unwrap(), 0);
    assert_eq!(journal.follow_clock(-HOUR, begin - seconds(9), begin - seconds(8)).unwrap(), 1);
    assert_eq!(passed(&journal, begin + seconds(70)), [60]);

    // Back: what was put off is due as soon as before, at most.
    let mut outbox = journal.outbox().unwrap();
    let first = outbox.due("a", &HashSet::new(), 10).unwrap().deliveries.remove(0);
    let due = begin.as_microsecond() + 50_000_000;
    let verdict = Verdict::Again { due, error: "busy".into() };
    outbox.settle(&[Settled { id: first.id, verdict }]).unwrap();
    let next = |outbox: &mut Outbox| outbox.due("a", &HashSet::new(), 10).unwrap().next;
    assert_eq!(next(&mut outbox), Some(due));
    journal.follow_clock(HOUR, begin - HOUR - HOUR, begin - HOUR).unwrap();
    assert_eq!(next(&mut outbox), Some(due), "forward it comes early anyhow");
    journal.follow_clock(-HOUR, begin - HOUR - HOUR, begin - HOUR).unwrap();
    assert_eq!(next(&mut outbox), None, "it is due");
}

#[test]
fn a_deadline_passes_once_and_an_answer_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    let begin = jiff::Timestamp::now();
    journal.append(&[watched(1, "squad", Some(60)), watched(2, "squad", Some(60)), watched(3, "log", None)]).unwrap();
    let after = |seconds| begin + jiff::SignedDuration::from_secs(seconds);
    let alerts = |journal: &Journal, seconds| -> Vec<u8> {
        journal.passed(after(seconds), 10).unwrap().iter().map(|p| p.alert.0[0]).collect()
    };
    assert_eq!(alerts(&journal, 59), [0_u8; 0]);
    assert_eq!(
        journal.unanswered().unwrap(),
        [("squad".to_owned(), 2)],
        "a route without a deadline waits for nothing"
    );
    taken(journal.answers().unwrap().record(id(2), &crate::types::Answer::Accepted, &by("platform")).unwrap());
    assert_eq!(alerts(&journal, 70), [1]);
    drop(journal);

    // It holds across a restart, and is told once, also when the batch is given again.
    let mut journal = open(folder.path());
    let passed = journal.passed(after(70), 10).unwrap();
    assert_eq!(
        (passed.len(), passed[0].route.as_str(), passed[0].within),
        (1, "squad", crate::types::Span::from_secs(60))
    );
    let mut late = watched(1, "duty", Some(30));
    (late.event.seq, late.event.state) = (1, State::Overdue);
    late.event.overdue =
        Some(crate::types::Overdue { route: "squad".into(), within_s: 60, escalated_to: Some("duty".into()) });
    assert_eq!(journal.append(std::slice::from_ref(&late)).unwrap().events, 1);
    assert_eq!(journal.append(&[late]).unwrap().repeated, 1);
    assert_eq!(alerts(&journal, 20), [0_u8; 0]);
    let next = journal.passed(after(200), 10).unwrap();
    assert_eq!(
        next.iter().map(|p| p.route.as_str()).collect::<Vec<_>>(),
        ["duty"],
        "the next route has its own deadline"
    );
    assert_eq!(journal.unanswered().unwrap(), [("duty".to_owned(), 1), ("squad".to_owned(), 1)]);
    let story = journal.reader().unwrap().show(id(1)).unwrap().unwrap();
    assert_eq!(
        story.routes.iter().map(|r| (r.route.as_str(), r.state)).collect::<Vec<_>>(),
        [("squad", "overdue"), ("duty", "waiting")]
    );
    taken(journal.answers().unwrap().record(id(1), &crate::types::Answer::Accepted, &by("platform")).unwrap());
    assert_eq!((alerts(&journal, 200), journal.unanswered().unwrap().len()), (Vec::new(), 0));
}

#[test]
fn an_answer_is_written_once_and_kept_with_who_and_when() {
    use crate::types::Answer;
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    journal.append(&[watched(1, "squad", None)]).unwrap();
    let mut answers = journal.answers().unwrap();
    assert_eq!(answers.record(id(9), &Answer::Accepted, &by("platform")).unwrap(), Recorded::Unknown);
    let first = taken(answers.record(id(1), &Answer::Accepted, &by("platform")).unwrap());
    assert_eq!((first.repeated, first.routes.as_slice()), (false, &["squad".to_owned()][..]));
    let done = Answer::Resolved { outcome: "dispersed".into() };
    assert!(!taken(answers.record(id(1), &done, &by("platform")).unwrap()).repeated);
    let again = taken(answers.record(id(1), &Answer::Accepted, &by("platform")).unwrap());
    assert_eq!((again.repeated, &again.row), (true, &first.row), "a late repeat turns nothing back");
    assert!(!taken(answers.record(id(1), &Answer::Accepted, &by("squad")).unwrap()).repeated, "by another one");
    let reader = journal.reader().unwrap();
    let story = reader.show(id(1)).unwrap().unwrap();
    assert_eq!(
        story.answers.iter().map(|a| (a.answer.word(), a.by.as_str())).collect::<Vec<_>>(),
        [("accepted", "platform"), ("resolved", "platform"), ("accepted", "squad")]
    );
    let newest = reader.list(&AlertFilter::default()).unwrap()[0].answer.clone().unwrap();
    assert_eq!(Some(&newest), story.answers.last());
    for n in 0..100 {
        answers.record(id(1), &Answer::Assigned { unit: format!("squad {n}") }, &by("platform")).unwrap();
    }
    let wild = Answer::Assigned { unit: "one more".into() };
    assert_eq!(answers.record(id(1), &wild, &by("platform")).unwrap(), Recorded::TooMany);
    assert!(taken(answers.record(id(1), &done, &by("platform")).unwrap()).repeated, "what was taken stays taken");
}

#[test]
fn a_token_is_good_until_it_ends_and_only_its_hash_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let tokens = Tokens::open(folder.path()).unwrap();
    let now = jiff::Timestamp::now();
    let end = now + jiff::SignedDuration::from_secs(60);
    let new = NewToken { name: "platform".into(), sinks: vec!["a".into()], expires: Some(end), ..NewToken::default() };
    let secret = tokens.create(&new).unwrap().unwrap();
    assert!(secret.starts_with("lookout_") && secret.len() == 51, "{secret}");
    assert_eq!(tokens.create(&new).unwrap(), None, "the name is taken");
    let reader = Reader::open(folder.path()).unwrap();
    let token = reader.token(&secret, now).unwrap().unwrap();
    assert_eq!(token.name, "platform");
    let reach = |grid: &str, sinks: &[&str]| Reach {
        grid: Some(grid.into()),
        sinks: sinks.iter().map(|s| (*s).to_owned()).collect(),
    };
    assert!(token.answers(&reach("x", &["b", "a"])) && !token.answers(&reach("a", &["b"])));
    assert_eq!(reader.token(&secret, end).unwrap(), None, "it has expired");
    assert_eq!(reader.token("lookout_", now).unwrap(), None);
    assert!(tokens.revoke("platform").unwrap() && !tokens.revoke("platform").unwrap());
    assert_eq!(reader.token(&secret, now).unwrap(), None);
    for file in fs::read_dir(folder.path()).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        let leaked = |part: &[u8]| bytes.windows(part.len()).any(|w| w == part);
        assert!(!leaked(secret.as_bytes()) && !leaked(&secret.as_bytes()[8..]));
    }
}

/// A journal of the first format, as an earlier version left it.
#[test]
fn an_older_journal_is_brought_up_to_date_by_its_writer_only() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    journal.append(&[item(1, 0, State::Started, &["a"])]).unwrap();
    drop(journal);
    let old = Connection::open(folder.path().join(FILE)).unwrap();
    old.execute_batch("ALTER TABLE outbox DROP COLUMN answer; DROP TABLE watch; DROP TABLE answer; DROP TABLE token; DROP TABLE errand; DROP TABLE spot; DROP INDEX alert_test; DROP INDEX outbox_droppable; ALTER TABLE alert DROP COLUMN test; PRAGMA user_version = 1")
        .unwrap();
    drop(old);
    let error = Reader::open(folder.path()).err().unwrap();
    assert!(matches!(error, JournalError::Older { found: 1, .. }) && !error.retry(), "{error}");
    let journal = open(folder.path());
    assert_eq!(journal.open_alerts().unwrap().len(), 1);
    assert_eq!(journal.reader().unwrap().show(id(1)).unwrap().unwrap().answers, []);
}

#[test]
fn a_false_alarm_is_told_behind_what_a_sink_was_to_get() {
    use crate::types::Answer;
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    journal.append(&[item(1, 0, State::Started, &["a"])]).unwrap();
    let mut answers = journal.answers().unwrap().telling(vec!["a".into(), "b".into()]);
    taken(answers.record(id(1), &Answer::Accepted, &by("platform")).unwrap());
    taken(answers.record(id(1), &Answer::FalseAlarm { reason: None }, &by("platform")).unwrap());
    journal.append(&[item(1, 1, State::Updated, &[])]).unwrap();
    let mut outbox = journal.outbox().unwrap();
    let mut told = Vec::new();
    while let Some(delivery) = outbox.due("a", &HashSet::new(), 9).unwrap().deliveries.pop() {
        let before = outbox.before(delivery.id).unwrap();
        let answer = delivery.answer.map(|answer| answer.row.answer.word());
        told.push((delivery.event.seq, answer, before.answered.map(|event| event.seq), before.events.len()));
        outbox.settle(&[Settled { id: delivery.id, verdict: Verdict::Delivered }]).unwrap();
    }
    assert_eq!(told, [(0, None, None, 0), (0, Some("false_alarm"), None, 1), (1, None, Some(0), 0)]);
    assert_eq!(outbox.waiting("b").unwrap().0, 0, "it has heard of nothing");
    let rows = journal.reader().unwrap().show(id(1)).unwrap().unwrap().deliveries;
    assert_eq!(rows.iter().filter_map(|row| row.answer.as_deref()).collect::<Vec<_>>(), ["false_alarm"]);
}

#[test]
fn what_was_no_person_leaves_a_quiet_spot_until_it_is_released() {
    use crate::types::{Answer, answer::NOT_A_PERSON};
    let folder = tempfile::tempdir().unwrap();
    let mut journal = open(folder.path());
    let mut seen = item(1, 0, State::Started, &[]);
    seen.event.bbox = Some([0.4, 0.5, 0.08, 0.2]);
    let mut ended = item(1, 1, State::Ended, &[]);
    ended.event.bbox = Some([0.1, 0.1, 0.1, 0.1]);
    journal.append(&[seen, ended, item(2, 0, State::Started, &[])]).unwrap();
    let mut answers = journal.answers().unwrap();
    let mut answer = |n: u8, reason: &str| {
        let answer = Answer::FalseAlarm { reason: Some(reason.into()) };
        taken(answers.record(id(n), &answer, &by("platform")).unwrap()).spot
    };
    assert_eq!(answer(1, "just a drill"), None);
    let spot = answer(1, NOT_A_PERSON).unwrap();
    assert_eq!(answer(1, NOT_A_PERSON), None, "once");
    assert_eq!(answer(2, NOT_A_PERSON), None, "a crowd has no box");
    let reader = journal.reader().unwrap();
    let listed = reader.spots(false).unwrap();
    assert_eq!((listed.len(), listed[0].id, listed[0].camera.as_str()), (1, spot, "forecourt"));
    let expected = [0.42, 0.65, 0.04, 0.1];
    assert!(listed[0].bbox.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "half its size, around its feet");
    assert_eq!((listed[0].alert, listed[0].made_by.as_str()), (id(1), "platform"));
    drop(journal);
    let journal = open(folder.path());
    let answers = journal.answers().unwrap();
    assert_eq!(journal.spots().unwrap(), listed, "it holds across a restart");
    assert!(answers.release(spot, "duty").unwrap() && !answers.release(spot, "duty").unwrap());
    assert_eq!(
        (reader.spots(false).unwrap().len(), reader.spots(true).unwrap()[0].released_by.as_deref()),
        (0, Some("duty"))
    );
}
