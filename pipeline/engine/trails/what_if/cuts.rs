//! Where time can be cut: rules that begin anew there know all that they would know. That is so where another run of the
//! camera begins, and where nobody was in view for longer than any rule remembers.

use super::pass::Part;
use crate::config::plan::{Camera, Condition};
use crate::engine::trails::codec::Head;
use crate::types::Span;

/// What lines, lineages and paths remember besides a rule's gap.
const ALWAYS: Span = Span::from_secs(15);
/// Who kept together is forgotten after a minute.
const COMPANIONS: Span = Span::from_secs(60);
/// Of a learnt flow nothing is left after twenty of its time constants.
const FLOW: Span = Span::from_secs(600);
/// Missing people are remembered for an hour.
const MISSING: Span = Span::from_secs(3_600);
/// Shorter parts are not worth reading a file for, milliseconds.
const SHORTEST: i64 = 2 * 3_600_000;

/// Looks for cuts.
pub struct Cuts {
    /// Milliseconds; `None`: nothing is ever forgotten.
    quiet: Option<i64>,
    /// Beginnings of parts.
    begins: Vec<i64>,
    run: Option<u64>,
    /// End of the last block with people.
    busy_until: i64,
    last: i64,
}

impl Cuts {
    /// For the rules of a camera.
    pub fn new(camera: &Camera) -> Self {
        let quiet = memory(camera).map(|span| span.nanos() / 1_000_000);
        Self { quiet, begins: Vec::new(), run: None, busy_until: i64::MIN, last: i64::MIN }
    }

    /// Takes the next block.
    pub fn take(&mut self, head: &Head) {
        let (Some(&begin), Some(&end)) = (head.times.first(), head.times.last()) else { return };
        let other = self.run.replace(head.run) != Some(head.run) || begin <= self.last;
        let quiet = self.quiet.is_some_and(|quiet| begin.saturating_sub(self.busy_until) > quiet);
        let long = self.begins.last().is_none_or(|last| begin - last >= SHORTEST);
        // A clock that was set back: what comes now cannot be told from what was by its time.
        let back = self.begins.last().is_some_and(|last| begin <= *last);
        if (other || quiet) && long && !back {
            self.begins.push(begin);
        }
        if head.people > 0 {
            self.busy_until = end;
        }
        self.last = end;
    }

    /// The parts, in the order of time.
    pub fn parts(&self) -> Vec<Part> {
        let ends = self.begins.iter().skip(1).copied().chain([i64::MAX]);
        let from = [i64::MIN].into_iter().chain(self.begins.iter().skip(1).copied());
        from.zip(ends).map(|(from, until)| Part { from, until }).collect()
    }
}

/// For how long a camera's rules remember anything once nobody is in view; `None`: for ever.
fn memory(camera: &Camera) -> Option<Span> {
    // Heights of people say where hidden feet are, however long ago they were seen.
    if camera.ground.is_some() {
        return None;
    }
    let of = |rule: &crate::config::plan::Rule| {
        let incident = &rule.incident;
        let lasts = incident.lasts(0.0) && !incident.falling && !incident.elapsed;
        let own = match &rule.condition {
            Condition::Rush { .. } => return None,
            _ if lasts => return None,
            Condition::CounterFlow { along: None, .. } => FLOW,
            Condition::Proximity { exempt_together: true, .. } => COMPANIONS,
            Condition::Vanished => MISSING + incident.hold,
            _ => Span::ZERO,
        };
        Some(own.max(incident.gap).max(incident.cooldown) + ALWAYS)
    };
    let rules: Option<Vec<Span>> = camera.rules.iter().map(of).collect();
    Some(rules?.into_iter().max().unwrap_or(Span::ZERO).max(ALWAYS))
}
