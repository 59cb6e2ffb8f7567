//! Where a broker takes an event: a template with what the event says.

use crate::config::template::{Placeholder, Template};
use crate::types::Event;

/// What stands where an event has nothing to say.
const NOTHING: &str = "-";

/// Fills a template; `onvif` gives the topic of ONVIF. Of the other values, characters for which `odd` holds become `_`.
pub fn fill(template: &Template, event: &Event, odd: impl Fn(char) -> bool, onvif: impl Fn() -> String) -> String {
    let clean = |text: &str| if text.is_empty() { NOTHING.to_owned() } else { text.replace(&odd, "_") };
    let named = |id: &Option<String>| clean(id.as_deref().unwrap_or_default());
    template.fill(|place| match place {
        Placeholder::Site => clean(&event.site),
        Placeholder::Grid => named(&event.grid),
        Placeholder::Camera => named(&event.camera),
        Placeholder::Zone => named(&event.zone),
        Placeholder::Line => named(&event.line),
        Placeholder::Rule => named(&event.rule),
        Placeholder::Kind => clean(&event.kind.word()),
        Placeholder::Severity => event.severity.map_or_else(|| NOTHING.to_owned(), |severity| severity.word()),
        Placeholder::State => event.state.word(),
        Placeholder::Alert => event.alert.map_or_else(|| NOTHING.to_owned(), |alert| alert.to_string()),
        Placeholder::Onvif => onvif(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::journal::sample_event;
    use crate::types::{AlertId, State};

    #[test]
    fn values_fill_their_places_and_break_no_level() {
        let mut event = sample_event(AlertId([7; 16]), 0, State::Started);
        (event.rule, event.grid, event.line) = (Some("camera.dark".into()), None, Some(String::new()));
        let template =
            Template::parse("{site}/{rule}/{grid}/{line}/{kind}/{severity}/{state}/{alert}/{onvif}").unwrap();
        let topic = fill(&template, &event, |c| c == '.', || "A/B".into());
        let alert = AlertId([7; 16]).to_string();
        let (site, kind) = (&event.site, event.kind);
        assert_eq!(topic, format!("{site}/camera_dark/-/-/{kind}/moderate/started/{alert}/A/B"));
    }
}
