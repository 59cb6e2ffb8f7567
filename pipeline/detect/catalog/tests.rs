use super::*;

const GOOD: &str = r#"
default = "a"
[[model]]
id = "a"
file = "a.onnx"
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
head = "yolo"
class = 0
layout = "nchw"
order = "rgb"
mean = [0.0, 0.0, 0.0]
std = [255.0, 255.0, 255.0]
pad = 114
fit = "center"
sizes = [[640, 480]]
score = 0.4
nms = 0.5
licence = "MIT"
origin = "made here"
"#;

fn parse(text: &str) -> Result<Catalog, String> {
    Catalog::parse(text, Path::new("/models"))
}

fn folder(text: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(FILE), text).unwrap();
    std::fs::write(dir.path().join("a.onnx"), "abc").unwrap();
    dir
}

#[test]
fn the_shipped_catalog_is_whole() {
    let catalog = Catalog::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models")).unwrap();
    let entry = catalog.default_entry();
    assert_eq!((entry.id.as_str(), entry.default_size()), ("nanodet-g-person-int8", Size::new(640, 480)));
    entry.verify().unwrap();
}

#[test]
fn faults_are_named_with_their_line() {
    assert_eq!(parse(GOOD).unwrap().entries().len(), 1);
    let cases = [
        ("pad = 114", "pad = 114\ncolour = 1", "line 14: unknown field `colour`"),
        ("pad = 114", "pad = 300", "line 13"),
        ("pad = 114\n", "", "missing field `pad`"),
        ("head = \"yolo\"", "head = \"ssd\"", "unknown variant `ssd`"),
        ("nms = 0.5", "nms = 0.0", "line 3: model `a`: nms is 0"),
        ("std = [255.0, ", "std = [0.0, ", "std positive"),
        ("f20015ad", "f20015a", "64 hexadecimal"),
        ("default = \"a\"", "default = \"b\"", "the default `b`"),
        ("sizes = [[640, 480]]", "sizes = []", "sizes is empty"),
        ("sizes = [[640, 480]]", "sizes = [[640, 470]]\nmultiple = 32", "size [640, 470]"),
    ];
    for (from, to, wanted) in cases {
        assert!(GOOD.contains(from), "{from}");
        let reason = parse(&GOOD.replace(from, to)).unwrap_err();
        assert!(reason.contains(wanted), "{to}: {reason}");
    }
    let twice = format!("{GOOD}{}", GOOD.replace("default = \"a\"", ""));
    assert!(parse(&twice).unwrap_err().contains("stands there twice"));
}

#[test]
fn a_changed_file_is_refused() {
    let dir = folder(GOOD);
    let entry = Catalog::load(dir.path()).unwrap().default_entry().clone();
    entry.verify().unwrap();
    std::fs::write(&entry.path, "abd").unwrap();
    assert!(matches!(entry.verify(), Err(DetectError::Hash { .. })));
    std::fs::remove_file(&entry.path).unwrap();
    assert!(matches!(entry.verify(), Err(DetectError::Unreadable { .. })));
}

#[test]
fn a_path_takes_its_entry_and_nothing_is_guessed() {
    let (ours, theirs) = (folder(GOOD), folder(&GOOD.replace("\"a\"", "\"theirs\"")));
    let catalog = Catalog::load(ours.path()).unwrap();
    let id_of = |path: PathBuf| catalog.resolve(path.to_str()).map(|entry| entry.id);
    assert_eq!(catalog.resolve(None).unwrap().id, "a");
    assert_eq!(id_of(ours.path().join("a.onnx")).unwrap(), "a");
    assert_eq!(id_of(theirs.path().join("a.onnx")).unwrap(), "theirs");
    assert!(matches!(id_of("b".into()), Err(DetectError::UnknownModel { .. })));

    let elsewhere = tempfile::tempdir().unwrap();
    let stranger = elsewhere.path().join("b.onnx");
    std::fs::write(&stranger, "abc").unwrap();
    assert_eq!(id_of(stranger.clone()).unwrap(), "a", "a copy is the same model");
    std::fs::write(&stranger, "abcd").unwrap();
    let reason = id_of(stranger).unwrap_err().to_string();
    assert!(reason.contains("has no entry") && reason.contains("88d4266f"), "{reason}");
}

#[test]
fn sizes_follow_the_multiple() {
    let fixed = parse(GOOD).unwrap().default_entry().clone();
    assert!(fixed.check_size(Size::new(640, 480)).is_ok());
    assert!(fixed.check_size(Size::new(320, 256)).is_err());
    let free = Entry { multiple: Some(32), ..fixed };
    assert!(free.check_size(Size::new(320, 256)).is_ok());
    assert!(free.check_size(Size::new(320, 240)).is_err());
    assert!(free.check_size(Size::new(0, 32)).is_err());
}
