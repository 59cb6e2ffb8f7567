use std::fs::File;
use std::io::Write;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::block::{Block, GRAIN, Spot, Trail};
use super::codec::{decode, encode};
use super::draw::draw;
use super::read::{Stretch, TrailReader, outages};
use super::recorder::{Gathered, MOST_SEEN, TrailRecorder};
use super::scenes::Scenes;
use super::store::{Store, files, files_of};
use super::thin::thin;
use crate::config::plan::Trails;
use crate::engine::keeper::{Keeper, Record, queue};
use crate::telemetry::Metrics;
use crate::types::{MediaTime, Point, Rect, Size, Span, Track, TrackId, TrackState};

const SIZE: Size = Size::new(768, 576);

fn day(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn person(id: u64, x: f32, time: MediaTime) -> Track {
    let bbox = Rect::new(x, 200.0, 40.0, 120.0);
    Track {
        id: TrackId(id),
        state: TrackState::Confirmed,
        bbox,
        velocity: [0.0; 2],
        score: 0.8,
        matched: true,
        born: MediaTime::ZERO,
        birth: Point { x: 30.0, y: 320.0 },
        seen: time,
    }
}

/// People by picture, eight pictures a second from `start`; nobody stands still.
fn gathered(start: Timestamp, run: u64, pictures: &[Vec<u64>]) -> Gathered {
    let (out, blocks) = queue();
    let mut recorder = TrailRecorder::new("yard", run, out, Metrics::new().unwrap().overflow("trails"));
    for (k, ids) in pictures.iter().enumerate() {
        let time = MediaTime::of_frame(k as u64, 8.0);
        let tracks: Vec<Track> = ids.iter().map(|id| person(*id, (50 * id) as f32 + k as f32, time)).collect();
        let persons: Vec<(TrackId, TrackId)> = ids.iter().map(|id| (TrackId(*id), TrackId(*id))).collect();
        recorder.observe(time, time.utc(start), SIZE, &tracks, &persons);
    }
    recorder.flush();
    taken(&blocks)
}

fn taken(records: &crossbeam::channel::Receiver<Record>) -> Gathered {
    match records.try_recv().unwrap() {
        Record::Trails(gathered) => gathered,
        other => panic!("{other:?}"),
    }
}

/// Keeps blocks as a run does.
struct Kept(Keeper);

impl Kept {
    fn keep(&mut self, gathered: Gathered) {
        self.0.keep(&Record::Trails(gathered)).unwrap();
    }
}

fn keeper(folder: &Path, plan: Trails) -> Kept {
    Kept(Keeper::new(folder, plan, Metrics::new().unwrap().overflow("trails")).unwrap())
}

/// All blocks that are kept of the camera.
fn kept(folder: &Path) -> Vec<Block> {
    let all = Stretch::new(Timestamp::UNIX_EPOCH, day("2100-01-01T00:00:00Z"));
    let mut blocks = TrailReader::new(folder).blocks("yard", all).unwrap();
    std::iter::from_fn(|| blocks.next().unwrap()).collect()
}

fn blocks() -> impl Strategy<Value = Block> {
    let spot = (0_u32..9, prop::array::uniform4(-20_000..20_000_i32), any::<u8>());
    let trail =
        (1_u64..1_000_000, 0_u64..3, -1_000_000..0_i64, (0_u32..50, 1_u32..9), prop::collection::vec(spot, 0..9));
    let times = (0_i64..4_000_000_000_000, prop::collection::vec(1_i64..5_000, 100));
    (times, prop::collection::vec(trail, 0..6), any::<u64>()).prop_map(|((begin, steps), trails, run)| {
        let mut time = begin;
        let times: Vec<i64> = steps
            .iter()
            .map(|step| {
                time += step;
                time
            })
            .collect();
        let mut id = 0;
        let trails: Vec<Trail> = trails
            .into_iter()
            .map(|(step, back, born, (first, long), spots)| {
                id += step;
                let (mut picture, last) = (first, first + 10 * long);
                let mut places = vec![Spot { picture, place: [5, 6, 7, 8], score: 9 }];
                for (apart, place, score) in spots {
                    picture += apart + 1;
                    if picture < last {
                        places.push(Spot { picture, place, score });
                    }
                }
                places.push(Spot { picture: last, place: [-1, 2, 3, 4], score: 0 });
                let seen = vec![first..first + 3, first + 5..last + 1];
                Trail { id, person: id - id.min(back), born: times[0] + born, birth: [-3, 9_000], seen, spots: places }
            })
            .filter(|trail| trail.spots.last().is_some_and(|s| s.picture < 100))
            .collect();
        Block { run, highest: id, size: SIZE, times, trails }
    })
}

proptest! {
    #[test]
    fn bytes_are_the_block(block in blocks()) {
        let mut bytes = Vec::new();
        encode(&block, &mut bytes);
        prop_assert_eq!(decode(&bytes), Ok(block));
    }

    /// Whatever the bytes are, the answer is a block that scenes can be made of, or none.
    #[test]
    fn spoilt_bytes_do_no_harm(block in blocks(), at in any::<prop::sample::Index>(), to in any::<u8>(), cut in any::<bool>()) {
        let mut bytes = Vec::new();
        encode(&block, &mut bytes);
        let at = at.index(bytes.len());
        bytes[at] = to;
        if cut {
            bytes.truncate(at);
        }
        if let Ok(block) = decode(&bytes) {
            let mut scenes = Scenes::new(&block, block.begin());
            while let Some(scene) = scenes.next() {
                prop_assert!(scene.tracks.is_sorted_by_key(|t| t.id));
            }
        }
    }

    /// Against the definition, over random comings and goings.
    #[test]
    fn what_is_left_out_is_shorter_than_half_a_second(
        seen in prop::collection::vec(prop::collection::vec((0_u8..3, 1_usize..12), 1..12), 1..5)
    ) {
        let mut pictures = vec![Vec::new(); 160];
        for (i, stretches) in seen.iter().enumerate() {
            let mut k = 0;
            for (kind, long) in stretches {
                for ids in pictures.iter_mut().skip(k).take(*long).filter(|_| *kind > 0) {
                    ids.push(i as u64 + 1);
                }
                k += long;
            }
        }
        let gathered = gathered(day("2026-11-24T03:00:00.100Z"), 1, &pictures);
        let block = thin(&gathered, 0);
        let zero = gathered.pictures[0].utc.as_millisecond();
        let mut all = Scenes::new(&block, zero);
        for ids in &pictures {
            let scene = all.next().unwrap();
            prop_assert!(scene.tracks.iter().map(|t| t.id.0).eq(ids.iter().copied()), "everybody in every picture");
        }
        prop_assert!(all.next().is_none());
        let mut scenes = Scenes::coarse(&block, zero);
        // What is kept is what was seen, where it was.
        let mut shown: Vec<(i64, Vec<u64>)> = Vec::new();
        while let Some(scene) = scenes.next() {
            let k = gathered.pictures.iter().position(|p| p.utc.as_millisecond() == scene.at).unwrap();
            let ids: Vec<u64> = scene.tracks.iter().map(|t| t.id.0).collect();
            prop_assert_eq!(&ids, &pictures[k]);
            for track in scene.tracks {
                let expected = (50 * track.id.0) as f32 + k as f32;
                prop_assert!((track.bbox.left - expected).abs() < 0.2, "{track:?} {k}");
                prop_assert!(track.born == MediaTime::ZERO && (track.birth.x - 30.0).abs() < 0.1);
            }
            shown.push((scene.at, ids));
        }
        let times: Vec<i64> = gathered.pictures.iter().map(|p| p.utc.as_millisecond()).collect();
        let windows: std::collections::BTreeSet<i64> = times.iter().map(|t| t.div_euclid(GRAIN)).collect();
        for window in windows {
            let of = |list: &[(i64, Vec<u64>)]| -> (usize, std::collections::BTreeSet<u64>) {
                let inside: Vec<_> = list.iter().filter(|(t, _)| t.div_euclid(GRAIN) == window).collect();
                let most = inside.iter().map(|(_, ids)| ids.len()).max().unwrap_or(0);
                (most, inside.iter().flat_map(|(_, ids)| ids.iter().copied()).collect())
            };
            let live: Vec<(i64, Vec<u64>)> = times.iter().copied().zip(pictures.iter().cloned()).collect();
            prop_assert_eq!(of(&live), of(&shown), "as many and the same people in each half second");
        }
        for id in 1..=seen.len() as u64 {
            // Absences longer than the grain have the same ends; none is made up that would matter.
            let absences = |list: &[i64], longer: i64| -> Vec<(i64, i64)> {
                list.windows(2).filter(|w| w[1] - w[0] > longer).map(|w| (w[0], w[1])).collect()
            };
            let live: Vec<i64> = (0..pictures.len()).filter(|k| pictures[*k].contains(&id)).map(|k| times[k]).collect();
            let then: Vec<i64> = shown.iter().filter(|(_, ids)| ids.contains(&id)).map(|(t, _)| *t).collect();
            prop_assert_eq!((live.first(), live.last()), (then.first(), then.last()));
            let (away, shown_away) = (absences(&live, GRAIN), absences(&then, GRAIN));
            prop_assert!(away.iter().all(|a| shown_away.contains(a)));
            prop_assert!(shown_away.iter().all(|a| away.contains(a) || a.1 - a.0 < 2 * GRAIN));
            let trail = block.trails.iter().find(|t| t.id == id);
            let stretches = 1 + away.len();
            if let Some(trail) = trail {
                let first = block.times[trail.spots[0].picture as usize];
                let long = block.times[trail.spots.last().unwrap().picture as usize] - first;
                let most = 2 * long as usize / 1000 + 2 * stretches;
                prop_assert!(trail.spots.len() <= most, "{} places in {long} ms, {stretches} stretches", trail.spots.len());
            }
        }
    }
}

#[test]
fn a_camera_never_waits_and_a_crowd_has_shorter_blocks() {
    let metrics = Metrics::new().unwrap();
    let lost = metrics.overflow("trails");
    let (out, blocks) = crossbeam::channel::bounded(1);
    let mut recorder = TrailRecorder::new("yard", 1, out, lost.clone());
    let crowd: Vec<Track> = (1..=500).map(|id| person(id, id as f32, MediaTime::ZERO)).collect();
    let persons: Vec<(TrackId, TrackId)> = crowd.iter().map(|t| (t.id, t.id)).collect();
    let start = day("2026-11-24T03:00:00Z");
    for k in 0..200 {
        let time = MediaTime::of_frame(k, 8.0);
        recorder.observe(time, time.utc(start), SIZE, &crowd, &persons);
    }
    recorder.flush();
    let first = taken(&blocks);
    assert!(first.seen.len() <= MOST_SEEN && first.pictures.len() == MOST_SEEN / 500);
    assert_eq!(lost.get(), 200_u64.div_ceil((MOST_SEEN / 500) as u64) - 1, "nobody took the others");
}

#[test]
fn whoever_was_lost_and_followed_anew_is_drawn_as_one() {
    let (out, blocks) = queue();
    let mut recorder = TrailRecorder::new("yard", 1, out, Metrics::new().unwrap().overflow("trails"));
    let start = day("2026-11-24T03:00:00Z");
    let id = TrackId;
    for (k, tracks, persons) in [
        (0, vec![1], vec![(id(1), id(1))]),
        (1, vec![2], vec![(id(2), id(1))]),
        (2, vec![1, 3], vec![(id(1), id(1)), (id(3), id(3))]),
    ] {
        let time = MediaTime::of_frame(k, 8.0);
        let tracks: Vec<Track> = tracks.iter().map(|id| person(*id, 10.0 * *id as f32, time)).collect();
        recorder.observe(time, time.utc(start), SIZE, &tracks, &persons);
    }
    recorder.flush();
    let gathered = taken(&blocks);
    let block = thin(&gathered, 100);
    let ids: Vec<[u64; 2]> = block.trails.iter().map(|t| [t.id, t.person]).collect();
    assert_eq!(ids, [[101, 101], [102, 101], [103, 103]]);
    let folder = tempfile::tempdir().unwrap();
    keeper(folder.path(), Trails::DEFAULT).keep(gathered);
    let all = Stretch::new(start, start + SignedDuration::from_secs(9));
    let drawing = draw(&TrailReader::new(folder.path()), "yard", all, 9).unwrap();
    let drawn: Vec<(u64, usize)> = drawing.tracks.iter().map(|t| (t.id, t.points.len())).collect();
    assert_eq!(drawn, [(1, 3), (3, 1)]);
}

#[test]
fn what_a_crash_tore_is_cut_off_and_ids_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let start = day("2026-11-24T03:00:00Z");
    let walk = vec![vec![1, 2]; 40];
    keeper(folder.path(), Trails::DEFAULT).keep(gathered(start, 1, &walk));
    let path = files_of(&folder.path().join(super::FOLDER), "yard").unwrap().remove(0).path;
    let good = std::fs::metadata(&path).unwrap().len();
    // A second block of which the disk got a part.
    let whole = std::fs::read(&path).unwrap();
    File::options().append(true).open(&path).unwrap().write_all(&whole[8..whole.len() - 5]).unwrap();
    assert_eq!(kept(folder.path()).len(), 1, "nobody reads a torn block");

    let mut again = keeper(folder.path(), Trails::DEFAULT);
    for minute in [1, 2] {
        let later = start + SignedDuration::from_mins(minute);
        again.keep(gathered(later, 2, &walk));
    }
    let blocks = kept(folder.path());
    let ids: Vec<(u64, Vec<u64>)> = blocks.iter().map(|b| (b.run, b.trails.iter().map(|t| t.id).collect())).collect();
    assert_eq!(ids, [(1, vec![1, 2]), (2, vec![3, 4]), (2, vec![3, 4])]);
    assert!(std::fs::metadata(&path).unwrap().len() > 2 * good);
    // A file that is none of ours is begun anew.
    std::fs::write(&path, b"something else").unwrap();
    keeper(folder.path(), Trails::DEFAULT).keep(gathered(start, 3, &walk));
    assert_eq!(kept(folder.path()).len(), 1);
}

#[test]
fn trails_go_by_age_and_by_quota() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join(super::FOLDER);
    let walk = vec![vec![1]; 80];
    let days = ["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23", "2026-11-24"];
    let mut first = keeper(folder.path(), Trails::DEFAULT);
    for date in days {
        first.keep(gathered(day(&format!("{date}T03:00:00Z")), 1, &walk));
    }
    let left = || {
        let mut days: Vec<String> = files(&root).unwrap().iter().map(|f| f.day.to_string()).collect();
        days.sort();
        days
    };
    let now = day("2026-11-24T12:00:00Z");
    let bytes = files(&root).unwrap()[0].bytes;
    let mut store = Store::new(&root, Trails { keep: Span::from_secs(3 * 86_400), ..Trails::DEFAULT });
    assert_eq!(store.sweep(now).unwrap(), 1, "the day that ended more than three days ago");
    assert_eq!(left(), days[1..]);
    let mut store = Store::new(&root, Trails { quota: 2 * bytes + bytes / 2, ..Trails::DEFAULT });
    assert_eq!((store.sweep(now).unwrap(), left()), (2, days[3..].iter().map(|d| (*d).to_owned()).collect()));
    let mut store = Store::new(&root, Trails { quota: 1, ..Trails::DEFAULT });
    assert_eq!((store.sweep(now).unwrap(), left()), (1, vec![days[4].to_owned()]), "today is never deleted");
}

#[test]
fn stretches_without_pictures_are_outages() {
    let folder = tempfile::tempdir().unwrap();
    let mut keeper = keeper(folder.path(), Trails::DEFAULT);
    let start = day("2026-11-24T23:59:50Z");
    let at = |seconds| start + SignedDuration::from_secs(seconds);
    // Ten seconds each: over midnight, eight seconds of nothing, which is no outage, and then a long one.
    for (run, begins) in [(1, 0), (1, 18), (2, 100)] {
        keeper.keep(gathered(at(begins), run, &vec![vec![1]; 81]));
    }
    let reader = TrailReader::new(folder.path());
    let outage = Span::from_secs(10);
    let all = reader.covered("yard", Stretch::new(at(-100), at(1000)), outage).unwrap();
    assert_eq!(all, [Stretch::new(at(0), at(28)), Stretch::new(at(100), at(110))]);
    assert_eq!(outages(&all), [Stretch::new(at(28), at(100))]);
    let part = reader.covered("yard", Stretch::new(at(5), at(20)), outage).unwrap();
    assert_eq!(part, [Stretch::new(at(5), at(20))]);
    assert_eq!(reader.covered("gate", Stretch::new(at(0), at(20)), outage).unwrap(), []);
}
