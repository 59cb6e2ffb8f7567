//! `[[sink]]` tables: what each kind asks for, and where it says what is wrong.

use super::super::plan::SinkKind;
use super::super::template::Placeholder;
use super::super::*;
use super::site::write;

/// The faults of a site with these sinks.
fn sink_faults(sinks: &str) -> Vec<String> {
    let camera = ("cameras/a.toml", "id = \"a\"\n[source]\nurl = \"rtsp://h/1\"\n");
    let dir = write(&[("site.toml", &format!("id = \"s\"\n{sinks}")), camera]);
    let faults = load_site(&dir.path().join("site.toml")).err().map(|e| e.faults).unwrap_or_default();
    faults.iter().map(|f| format!("{}:{}: {}: {}", f.line, f.column, f.field, f.message)).collect()
}

#[test]
fn a_sink_takes_its_own_keys_only_and_names_all_faults() {
    let text = "[[sink]]\nid = \"f\"\nkind = \"file\"\nurl = \"https://h/in\"\nallow_private = true\n\
                [[sink]]\nid = \"l\"\nkind = \"log\"\npath = \"x\"\n\
                [[sink]]\nid = \"w\"\nkind = \"webhook\"\nmode = \"batched\"\ntimeout = \"1ms\"\nsecrets = [\"env:\"]\n";
    let faults = sink_faults(text);
    let expected = [
        "2:1: sink[0].path: missing",
        "5:7: sink[0].url: does not belong to a sink of kind `file`",
        "6:17: sink[0].allow_private: does not belong",
        "10:8: sink[1].path: does not belong to a sink of kind `log`",
        "11:1: sink[2].url: missing",
        "14:8: sink[2].mode: ",
        "15:11: sink[2].timeout: not from 100ms to 300s",
        "16:11: sink[2].secrets[0]: a secret does not belong in this file",
    ];
    for (fault, start) in faults.iter().zip(expected) {
        assert!(fault.starts_with(start), "{fault} is not {start}");
    }
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
}

#[test]
fn an_address_inside_must_be_allowed() {
    let sink = |rest: &str| format!("[[sink]]\nid = \"w\"\nkind = \"webhook\"\n{rest}\n");
    for inside in ["http://127.0.0.1:8/", "http://10.1.2.3/in", "https://[::1]/", "http://0x7f.1/"] {
        let faults = sink_faults(&sink(&format!("url = \"{inside}\"")));
        assert!(faults.len() == 1 && faults[0].contains("`allow_private = true`"), "{inside}: {faults:?}");
        assert_eq!(sink_faults(&sink(&format!("url = \"{inside}\"\nallow_private = true"))), [""; 0]);
    }
    for good in ["https://dispatch.example/in", "http://1.1.1.1/in"] {
        assert_eq!(sink_faults(&sink(&format!("url = \"{good}\""))), [""; 0]);
    }
    for (bad, word) in
        [("ftp://h/", "is not an http"), ("h/in", "is not an http"), ("https://a:hunter2@h/", "name and")]
    {
        let faults = sink_faults(&sink(&format!("url = \"{bad}\"")));
        assert!(faults.len() == 1 && faults[0].contains(word) && !faults[0].contains("hunter2"), "{faults:?}");
    }
}

#[test]
fn what_official_sinks_need_is_asked_for_with_its_place() {
    let text = "[[sink]]\nid = \"c\"\nkind = \"cap\"\nurl = \"https://h/cap\"\nsender = \"a, b\"\naddresses = []\n\
                radius = \"2bh\"\nexpires = \"5s\"\ntoken = \"abc\"\nserver = \"h:1\"\n\
                [[sink]]\nid = \"g\"\nkind = \"gb28181\"\nserver = \"10.0.0.2\"\nserver_id = \"3402\"\n\
                local = \"any\"\nstates = [\"counted\"]\nencoding = \"gbk\"\nchannels = { a = \"1\" }\n";
    let expected = [
        "6:10: sink[0].sender: a sender has no white space",
        "7:13: sink[0].addresses: names no recipient",
        "8:10: sink[0].radius: not from 1m",
        "9:11: sink[0].expires: less than 60 s",
        "10:9: sink[0].token: a secret does not belong in this file",
        "11:10: sink[0].server: does not belong to a sink of kind `cap`",
        "12:1: sink[1].device_id: missing: a code of 20 digits",
        "15:10: sink[1].server: `10.0.0.2` is not a name or address with a port",
        "16:13: sink[1].server_id: `3402` is not a code of 20 digits",
        "17:9: sink[1].local: `any` is not an address",
        "18:10: sink[1].states: counts are no alerts",
        "19:12: sink[1].encoding: ",
        "20:12: sink[1].channels.a: `1` is not a code",
    ];
    let faults = sink_faults(text);
    for (fault, start) in faults.iter().zip(expected) {
        assert!(fault.starts_with(start), "{fault} is not {start}");
    }
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
}

#[test]
fn the_examples_that_are_comments_are_good() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("configs/site.toml");
    let text = std::fs::read_to_string(file).unwrap();
    let examples: Vec<&str> = text.split("\n\n").filter(|part| part.contains("\n# [[sink]]")).collect();
    assert_eq!(examples.len(), 4);
    for example in examples {
        let (_, lines) = example.split_once("\n# [[sink]]").unwrap();
        let sink = format!("[[sink]]{}\n", lines.replace("\n# ", "\n"));
        assert_eq!(sink_faults(&sink), [""; 0], "{sink}");
    }
}

#[test]
fn a_secret_in_the_file_is_refused_without_repeating_it() {
    let dir = write(&[
        (
            "site.toml",
            "id = \"s\"\n[[sink]]\nid = \"w\"\nkind = \"webhook\"\nurl = \"https://h/in\"\nsecrets = [\"whsec_abc\"]\n",
        ),
        ("cameras/a.toml", "id = \"a\"\n[source]\nurl = \"rtsp://h/1\"\n"),
    ]);
    let text = load_site(&dir.path().join("site.toml")).unwrap_err().to_string();
    assert!(text.contains("env:NAME") && !text.contains("abc"), "{text}");
}

const MQTT: &str = "[[sink]]\nid = \"b\"\nkind = \"mqtt\"\nurl = \"mqtt://10.0.0.3\"\n";
const NATS: &str = "[[sink]]\nid = \"n\"\nkind = \"nats\"\nurl = \"nats://10.0.0.3\"\n";

#[test]
fn a_broker_needs_its_address_only() {
    let camera = ("cameras/a.toml", "id = \"a\"\n[source]\nurl = \"rtsp://h/1\"\n");
    let dir = write(&[("site.toml", &format!("id = \"s\"\n{MQTT}{NATS}")), camera]);
    let site = load_site(&dir.path().join("site.toml")).unwrap_or_else(|e| panic!("{e}")).plan;
    let [SinkKind::Mqtt(mqtt), SinkKind::Nats(nats)] = [&site.sinks[0].kind, &site.sinks[1].kind] else {
        panic!("{:?}", site.sinks)
    };
    assert_eq!((mqtt.broker.host.as_str(), mqtt.broker.port, mqtt.broker.tls), ("10.0.0.3", 1883, false));
    assert_eq!((mqtt.client_id.as_str(), mqtt.status.as_str()), ("lookout-s-b", "s/lookout/status"));
    assert!(mqtt.topic.has(Placeholder::Onvif));
    assert_eq!((nats.broker.host.as_str(), nats.broker.port, nats.broker.tls), ("10.0.0.3", 4222, false));
    assert!(nats.subject.has(Placeholder::Kind) && nats.stream.is_none() && nats.token.is_none());
}

#[test]
fn kafka_needs_brokers_and_a_topic_and_a_build_with_it() {
    let wrong = "[[sink]]\nid = \"k\"\nkind = \"kafka\"\nbrokers = [\"10.0.0.3\"]\ntopic = \"a/b\"\nurl = \"http://h\"\n\
                 [[sink]]\nid = \"l\"\nkind = \"kafka\"\n";
    let mut expected = vec![
        "5:11: sink[0].brokers: `10.0.0.3` is not a `host:port`",
        "6:9: sink[0].topic: `a/b` is no name of a topic of Kafka",
        "7:7: sink[0].url: does not belong to a sink of kind `kafka`",
        "8:1: sink[1].brokers: missing: at least one `host:port`",
        "8:1: sink[1].topic: missing: where events go",
    ];
    let unbuilt = ["4:8: sink[0].kind: this Lookout is built without Kafka", "10:8: sink[1].kind: this Lookout is built"];
    if !cfg!(feature = "kafka") {
        expected.extend(unbuilt);
    }
    let faults = sink_faults(wrong);
    for start in &expected {
        assert!(faults.iter().any(|fault| fault.starts_with(start)), "no {start} in {faults:#?}");
    }
    assert_eq!(faults.len(), expected.len(), "{faults:#?}");
    let good = "[[sink]]\nid = \"k\"\nkind = \"kafka\"\nbrokers = [\"10.0.0.3:9092\", \"[::1]:1\"]\ntopic = \"alerts\"\n";
    assert_eq!(sink_faults(good).len(), usize::from(!cfg!(feature = "kafka")));
}

/// Each line alone, below a sink of four lines, is the one fault that begins so.
fn each_is_one_fault(sink: &str, lines: &[(&str, &str)]) {
    for (line, fault) in lines {
        let faults = sink_faults(&format!("{sink}{line}\n"));
        assert!(faults.len() == 1 && faults[0].starts_with(fault), "{line}: {faults:?}");
    }
}

#[test]
fn what_is_wrong_with_a_broker_is_said_with_its_place() {
    let lines = [
        ("topic = \"a/{sight}\"", "6:9: sink[0].topic: there is no `{sight}`; there are {site}, {grid}"),
        ("topic = \"a/#\"", "6:9: sink[0].topic: `a/#`: a topic to publish to has no `+`, `#`"),
        ("topic = \"$SYS/a\"", "6:9: sink[0].topic: `$SYS/a`: topics that begin with `$`"),
        ("topic = \"\"", "6:9: sink[0].topic: a topic has 1 to 1024 bytes"),
        ("status = \"a/{site}\"", "6:10: sink[0].status: it is the same for every event"),
        ("client_id = \"a b\"", "6:13: sink[0].client_id: `a b` is not a plain word"),
        ("payload = \"xml\"", "6:11: sink[0].payload: "),
        ("keepalive = \"2h\"", "6:13: sink[0].keepalive: not from 1s to 1h"),
        ("ca = \"ca.pem\"", "6:6: sink[0].ca: nobody vouches without TLS; the address would be mqtts://"),
        ("username = \"u\"", "6:12: sink[0].username: there is no `password` for it"),
        ("password = \"env:P\"", "6:12: sink[0].password: there is no `username` for it"),
        ("secrets = [\"env:P\"]", "6:11: sink[0].secrets: does not belong to a sink of kind `mqtt`"),
    ];
    each_is_one_fault(MQTT, &lines);
    for (url, said) in [
        ("http://h", "is not an address such as mqtt://10.0.0.2 or mqtts://broker.example"),
        ("10.0.0.3:1883", "is not an address such as"),
        ("mqtt://", "names no host"),
        ("mqtt://h/topic", "has more than a host and a port"),
        ("mqtts://a:hunter2@h", "a name and password do not belong in an address"),
    ] {
        let faults = sink_faults(&MQTT.replace("mqtt://10.0.0.3", url));
        assert!(faults.len() == 1 && faults[0].contains(said) && !faults[0].contains("hunter2"), "{url}: {faults:?}");
    }
    for url in ["mqtts://broker.example", "mqtt://[::1]:1884/", "mqtt://localhost:1"] {
        assert_eq!(sink_faults(&MQTT.replace("mqtt://10.0.0.3", url)), [""; 0], "{url}");
    }
}

#[test]
fn what_is_wrong_with_a_subject_or_a_stream_is_said_with_its_place() {
    let lines = [
        ("subject = \"a.{sight}\"", "6:11: sink[0].subject: there is no `{sight}`"),
        ("subject = \"a.{onvif}\"", "6:11: sink[0].subject: `{onvif}` is for topics of MQTT"),
        ("subject = \"a..b\"", "6:11: sink[0].subject: `a..b`: a subject is of words between dots"),
        ("subject = \"a.>\"", "6:11: sink[0].subject: `a.>`: a subject to publish to has no `*`, `>`"),
        ("subject = \"$JS.a\"", "6:11: sink[0].subject: `$JS.a`: subjects that begin with `$`"),
        ("stream = \"a.b\"", "6:10: sink[0].stream: `a.b` is no name of a stream"),
        ("token = \"abc\"", "6:9: sink[0].token: a secret does not belong in this file"),
        ("topic = \"a\"", "6:9: sink[0].topic: does not belong to a sink of kind `nats`"),
        (
            "token = \"env:T\"\nusername = \"u\"\npassword = \"env:P\"",
            "6:9: sink[0].token: a client logs in by `token` or by `username` and `password`",
        ),
    ];
    each_is_one_fault(NATS, &lines);
    for url in ["tls://nats.example", "nats://[::1]:4223/"] {
        assert_eq!(sink_faults(&NATS.replace("nats://10.0.0.3", url)), [""; 0], "{url}");
    }
}
