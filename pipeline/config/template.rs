//! Text with places for what an event says, such as `{site}/{camera}/{kind}`: how topics and subjects are written.

/// What a place stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placeholder {
    /// Site id.
    Site,
    /// Grid id.
    Grid,
    /// Camera id.
    Camera,
    /// Zone id.
    Zone,
    /// Line id.
    Line,
    /// Rule id.
    Rule,
    /// Kind of rule.
    Kind,
    /// Severity.
    Severity,
    /// State of the alert.
    State,
    /// Alert id.
    Alert,
    /// Topic of ONVIF for the kind, such as `RuleEngine/FieldDetector/ObjectsInside`: several levels.
    Onvif,
}

impl Placeholder {
    /// Each with its name.
    const NAMES: [(&str, Self); 11] = [
        ("site", Self::Site),
        ("grid", Self::Grid),
        ("camera", Self::Camera),
        ("zone", Self::Zone),
        ("line", Self::Line),
        ("rule", Self::Rule),
        ("kind", Self::Kind),
        ("severity", Self::Severity),
        ("state", Self::State),
        ("alert", Self::Alert),
        ("onvif", Self::Onvif),
    ];
}

/// A checked template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(Placeholder),
}

impl Template {
    /// Reads a template. The error names what is wrong and what there is.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let inner = from.strip_prefix('{').ok_or_else(|| format!("`{text}` has a `}}` without its `{{`"))?;
            let (name, after) = inner.split_once('}').ok_or_else(|| format!("`{text}` has a `{{` without its `}}`"))?;
            let known = Placeholder::NAMES.iter().find(|(known, _)| *known == name);
            let (_, place) = known.ok_or_else(|| {
                let names = Placeholder::NAMES.map(|(name, _)| format!("{{{name}}}"));
                format!("there is no `{{{name}}}`; there are {}", names.join(", "))
            })?;
            parts.push(Part::Place(*place));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self(parts))
    }

    /// Whether it has such a place.
    pub fn has(&self, place: Placeholder) -> bool {
        self.0.contains(&Part::Place(place))
    }

    /// The text with `value` in each place.
    pub fn fill(&self, mut value: impl FnMut(Placeholder) -> String) -> String {
        let part = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Place(place) => value(*place),
        };
        self.0.iter().map(part).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_and_the_rest_stays() {
        let template = Template::parse("a/{site}{kind}/ö/{state}").unwrap();
        assert_eq!(template.fill(|place| format!("<{place:?}>")), "a/<Site><Kind>/ö/<State>");
        assert!(template.has(Placeholder::Kind) && !template.has(Placeholder::Grid));
        assert_eq!(Template::parse("plain").unwrap().fill(|_| unreachable!()), "plain");
    }

    #[test]
    fn every_name_is_read() {
        for (name, place) in Placeholder::NAMES {
            assert!(Template::parse(&format!("{{{name}}}")).unwrap().has(place));
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, said) in [
            ("{sight}", "there is no `{sight}`; there are {site}, {grid}"),
            ("a/{}", "there is no `{}`"),
            ("a/{site", "has a `{` without its `}`"),
            ("a}/b", "has a `}` without its `{`"),
            ("{{site}}", "there is no `{{site}`"),
        ] {
            let error = Template::parse(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
