//! The paths that a source file names, found in its tokens: comments and strings do not count, macro arguments do.

use std::collections::BTreeMap;

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

/// A path as written, `use` trees spread out: `use a::{b, c as d}` is `a::b` and `a::c`.
#[derive(Clone, Debug)]
pub struct Mention {
    /// From the first name on; `*` last for a glob.
    pub segments: Vec<String>,
    /// From 1.
    pub line: usize,
    /// Module in which it stands, from the crate's root.
    pub module: Vec<String>,
    /// Within `#[cfg(test)]`.
    pub test: bool,
}

/// What a file says.
#[derive(Default)]
pub struct Paths {
    pub mentions: Vec<Mention>,
    /// What each imported name stands for, as written.
    pub names: BTreeMap<String, Mention>,
    /// Modules in files of their own that are `#[cfg(test)]`.
    pub test_modules: Vec<Vec<String>>,
}

/// Reads a file that is this module of its crate.
pub fn read(text: &str, module: &[String]) -> Paths {
    let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{}: {error}", module.join("::")));
    let mut paths = Paths::default();
    paths.walk(tokens, module, false);
    paths
}

impl Paths {
    fn walk(&mut self, stream: TokenStream, module: &[String], in_test: bool) {
        let tokens: Vec<TokenTree> = stream.into_iter().collect();
        // `#[cfg(test)]` concerns the item that follows, up to its brace or semicolon.
        let (mut at, mut item_test) = (0, false);
        while let Some(token) = tokens.get(at) {
            let test = in_test || item_test;
            match token {
                TokenTree::Ident(word) if *word == "use" && !is_punct(tokens.get(at + 1), '<') => {
                    let end = (at..tokens.len()).find(|&i| is_punct(tokens.get(i), ';')).unwrap_or(tokens.len());
                    self.tree(&tokens[at + 1..end], &[], module, test);
                    at = end;
                    continue;
                }
                TokenTree::Ident(word) if *word == "mod" => {
                    let Some(TokenTree::Ident(name)) = tokens.get(at + 1) else { panic!("`mod` without a name") };
                    let inner = [module, &[name.to_string()]].concat();
                    if let Some(TokenTree::Group(body)) = tokens.get(at + 2) {
                        self.walk(body.stream(), &inner, test);
                    } else if test {
                        self.test_modules.push(inner);
                    }
                    (at, item_test) = (at + 3, false);
                    continue;
                }
                TokenTree::Ident(word) => {
                    let (segments, after) = segments(&tokens, at);
                    if segments.len() > 1 {
                        self.mentions.push(Mention { segments, line: line(word), module: module.to_vec(), test });
                    }
                    at = after;
                    continue;
                }
                TokenTree::Group(group) => {
                    let text = group.to_string().replace(' ', "");
                    let attribute = group.delimiter() == Delimiter::Bracket
                        && is_punct(at.checked_sub(1).and_then(|i| tokens.get(i)), '#');
                    if attribute && text == "[cfg(test)]" {
                        item_test = true;
                    } else if !(attribute && text.starts_with("[doc=")) {
                        self.walk(group.stream(), module, test);
                        item_test &= group.delimiter() != Delimiter::Brace;
                    }
                }
                TokenTree::Punct(punct) if punct.as_char() == ';' => item_test = false,
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            at += 1;
        }
    }

    /// One `use` tree, or several with commas between them.
    fn tree(&mut self, tokens: &[TokenTree], before: &[String], module: &[String], test: bool) {
        for branch in tokens.split(|token| is_punct(Some(token), ',')) {
            let mut path = before.to_vec();
            let (mut name, mut place, mut inner) = (None, 0, None);
            let mut words = branch.iter();
            while let Some(word) = words.next() {
                match word {
                    TokenTree::Ident(word) if *word == "as" => name = words.next().map(ToString::to_string),
                    // `a::{self}` is `a`.
                    TokenTree::Ident(word) if *word == "self" && !path.is_empty() => place = line(word),
                    TokenTree::Ident(word) => {
                        place = line(word);
                        path.push(word.to_string());
                    }
                    TokenTree::Punct(punct) if punct.as_char() == '*' => {
                        place = punct.span().start().line;
                        path.push("*".into());
                    }
                    TokenTree::Group(group) => inner = Some(group.stream()),
                    TokenTree::Punct(_) | TokenTree::Literal(_) => {}
                }
            }
            if let Some(inner) = inner {
                self.tree(&inner.into_iter().collect::<Vec<_>>(), &path, module, test);
            } else if let Some(last) = path.last().cloned() {
                let mention = Mention { segments: path, line: place, module: module.to_vec(), test };
                self.names.insert(name.unwrap_or(last), mention.clone());
                self.mentions.push(mention);
            }
        }
    }
}

/// The names of a path that begins at `at`, and where it ends.
fn segments(tokens: &[TokenTree], mut at: usize) -> (Vec<String>, usize) {
    let mut found = Vec::new();
    while let Some(TokenTree::Ident(name)) = tokens.get(at) {
        found.push(name.to_string());
        at += 1;
        if !(is_punct(tokens.get(at), ':') && is_punct(tokens.get(at + 1), ':')) {
            break;
        }
        at += 2;
    }
    (found, at)
}

fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

fn line(word: &Ident) -> usize {
    word.span().start().line
}
