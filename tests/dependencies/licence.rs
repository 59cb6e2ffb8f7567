//! Licence expressions of SPDX, and the slash that older crates write for OR.

use std::collections::BTreeSet;

/// What a licence expression says.
pub enum Expression {
    /// One licence, with its exception if it has one.
    Licence(String),
    Both(Box<Self>, Box<Self>),
    Either(Box<Self>, Box<Self>),
}

impl Expression {
    /// Whether it can be kept with the licences that are allowed.
    pub fn holds(&self, allowed: &dyn Fn(&str) -> bool) -> bool {
        match self {
            Self::Licence(name) => allowed(name),
            Self::Both(one, other) => one.holds(allowed) && other.holds(allowed),
            Self::Either(one, other) => one.holds(allowed) || other.holds(allowed),
        }
    }

    /// Every licence in it.
    pub fn names(&self, found: &mut BTreeSet<String>) {
        match self {
            Self::Licence(name) => {
                found.insert(name.clone());
            }
            Self::Both(one, other) | Self::Either(one, other) => {
                one.names(found);
                other.names(found);
            }
        }
    }
}

/// `None` where it is no expression.
pub fn parse(text: &str) -> Option<Expression> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let expression = either(&mut rest)?;
    rest.is_empty().then_some(expression)
}

fn either(words: &mut &[&str]) -> Option<Expression> {
    let mut left = both(words)?;
    while take(words, "OR") {
        left = Expression::Either(Box::new(left), Box::new(both(words)?));
    }
    Some(left)
}

fn both(words: &mut &[&str]) -> Option<Expression> {
    let mut left = one(words)?;
    while take(words, "AND") {
        left = Expression::Both(Box::new(left), Box::new(one(words)?));
    }
    Some(left)
}

fn one(words: &mut &[&str]) -> Option<Expression> {
    if take(words, "(") {
        let inner = either(words)?;
        return take(words, ")").then_some(inner);
    }
    let name = word(words)?;
    if take(words, "WITH") {
        return Some(Expression::Licence(format!("{name} WITH {}", word(words)?)));
    }
    Some(Expression::Licence(name.to_owned()))
}

fn take(words: &mut &[&str], wanted: &str) -> bool {
    match words.split_first() {
        Some((first, rest)) if *first == wanted => {
            *words = rest;
            true
        }
        _ => false,
    }
}

fn word<'a>(words: &mut &[&'a str]) -> Option<&'a str> {
    let (first, rest) = words.split_first()?;
    if ["AND", "OR", "WITH", "(", ")"].contains(first) {
        return None;
    }
    *words = rest;
    Some(first)
}
