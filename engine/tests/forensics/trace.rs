//! The trace tells every event, one line of JSON each.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use vellum::Error;
use vellum::forensics::Counter;

use crate::scenes;

#[derive(Clone, Default)]
struct Sink {
    bytes: Arc<Mutex<Vec<u8>>>,
    limit: Option<usize>,
}

impl Write for Sink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let mut bytes = self.bytes.lock().unwrap();
        if self
            .limit
            .is_some_and(|limit| bytes.len() + data.len() > limit)
        {
            return Err(io::ErrorKind::StorageFull.into());
        }
        bytes.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.bytes.lock().unwrap().clone()).unwrap()
    }
}

/// The number or word after a name.
fn field<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let start = line.find(&format!("\"{name}\":"))? + name.len() + 3;
    let rest = line[start..].trim_start_matches('"');
    rest.split(['"', ',', '}']).next()
}

#[test]
fn every_event_is_a_line() {
    let sink = Sink::default();
    let (db, _) = scenes::with(|builder| builder.trace(sink.clone()).cache_bytes(1 << 14));
    scenes::ring(&db, 2000);
    let counts = db.counters();
    db.end_trace().unwrap();
    scenes::ring(&scenes::database().0, 10);
    let text = sink.text();
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("{\"trace\":1}"));
    let lines: Vec<&str> = lines.collect();
    for (place, line) in lines.iter().enumerate() {
        assert!(line.starts_with('{') && line.ends_with('}'), "{line}");
        assert_eq!(field(line, "n"), Some(&*(place + 1).to_string()), "{line}");
    }
    let told = |event: &str| {
        lines
            .iter()
            .filter(|line| field(line, "event") == Some(event))
            .count() as u64
    };
    assert_eq!(told("write"), counts.pages_written());
    assert_eq!(told("read"), counts.pages_read());
    assert_eq!(told("append"), counts.get(Counter::LogAppends));
    assert_eq!(told("evict"), counts.get(Counter::CacheEvictions));
    let syncs = counts.syncs() + counts.get(Counter::DirectorySyncs);
    assert_eq!(told("sync"), syncs);
    assert_eq!(told("drop"), counts.get(Counter::PagesDropped));
    let write = lines
        .iter()
        .find(|line| field(line, "event") == Some("write"))
        .unwrap();
    for name in ["page", "birth", "kind", "offset", "site"] {
        assert!(field(write, name).is_some(), "{name} in {write}");
    }
}

#[test]
fn a_trace_that_cannot_be_written_ends_and_says_so() {
    let sink = Sink {
        limit: Some(2000),
        ..Sink::default()
    };
    let (db, _) = scenes::with(|builder| builder.trace(sink.clone()));
    scenes::ring(&db, 2000);
    assert!(matches!(
        db.end_trace(),
        Err(Error::Full { .. } | Error::Io { .. })
    ));
    db.end_trace().unwrap();
    assert!(sink.text().len() <= 2000);
    assert!(db.check().unwrap().is_sound());
}
