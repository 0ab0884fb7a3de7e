//! Who may write where: results to stdout, logs and progress to stderr, progress only on a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::cli::{Color, Format, Global};
use crate::failure::Failure;

/// How often the progress line is redrawn at most.
const REDRAW_EVERY: Duration = Duration::from_millis(100);

/// The process's two outputs and how to use them.
pub(crate) struct Console {
    pub(crate) format: Format,
    pub(crate) color: bool,
    color_out: bool,
    quiet: bool,
    verbose: bool,
    line: Option<Mutex<ProgressLine>>,
}

struct ProgressLine {
    drawn: Option<Instant>,
    visible: bool,
}

impl Console {
    pub(crate) fn new(global: &Global) -> Console {
        let terminal = io::stderr().is_terminal();
        let wanted = |terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            }
        };
        let color = wanted(terminal);
        let color_out = global.format == Format::Human && wanted(io::stdout().is_terminal());
        let progress = terminal && !global.no_progress && !global.quiet;
        let line = progress.then(|| {
            Mutex::new(ProgressLine {
                drawn: None,
                visible: false,
            })
        });
        Console {
            format: global.format,
            color,
            color_out,
            quiet: global.quiet,
            verbose: global.verbose,
            line,
        }
    }

    /// Whether results on stdout may be coloured.
    pub(crate) fn colour_results(&self) -> bool {
        self.color_out
    }

    /// A log line.
    pub(crate) fn log(&self, text: impl AsRef<str>) {
        if !self.quiet {
            self.stderr(text.as_ref());
        }
    }

    /// A log line for the curious.
    pub(crate) fn detail(&self, text: impl AsRef<str>) {
        if self.verbose {
            self.stderr(text.as_ref());
        }
    }

    /// Says which of so many steps begins: as progress on a terminal, else as a log line of a long run.
    pub(crate) fn step(&self, done: usize, all: usize, what: &str) {
        let said = format!("[{}/{all}] {what}", done + 1);
        match (&self.line, all) {
            (Some(_), 2..) => self.draw(&said),
            _ => self.log(said),
        }
    }

    fn draw(&self, text: &str) {
        let Some(line) = &self.line else { return };
        let mut line = line.lock();
        line.visible = true;
        line.drawn = Some(Instant::now());
        let _ = write!(io::stderr().lock(), "\r\x1b[2K{text}");
    }

    /// Shown whatever the options say: errors, failed checks.
    pub(crate) fn alarm(&self, text: &str) {
        self.stderr(text);
    }

    /// Shows how far the work is, at most some ten times a second, and nothing off a terminal.
    pub(crate) fn progress(&self, label: &str, done: u64) {
        let Some(line) = &self.line else { return };
        let mut line = line.lock();
        let now = Instant::now();
        if line
            .drawn
            .is_some_and(|drawn| now.duration_since(drawn) < REDRAW_EVERY)
        {
            return;
        }
        line.drawn = Some(now);
        line.visible = true;
        // Progress is decoration: a stderr that refuses it must not fail the run.
        let _ = write!(
            io::stderr().lock(),
            "\r\x1b[2K{label} {}",
            crate::units::grouped(done)
        );
    }

    /// Tells of something that has just happened, where results are written as lines of JSON.
    pub(crate) fn event(&self, event: &serde_json::Value) -> Result<(), Failure> {
        match self.format {
            Format::Ndjson => self.result(&format!("{event}\n")),
            _ => Ok(()),
        }
    }

    /// Writes rows as JSON: one document that names them, or a line for each.
    pub(crate) fn rows(&self, name: &str, rows: &[serde_json::Value]) -> Result<(), Failure> {
        match self.format {
            Format::Ndjson => rows
                .iter()
                .try_for_each(|row| self.result(&format!("{row}\n"))),
            _ => self.result(&format!("{:#}\n", serde_json::json!({ name: rows }))),
        }
    }

    /// Whether results are JSON, of either form.
    pub(crate) fn json(&self) -> bool {
        matches!(self.format, Format::Json | Format::Ndjson)
    }

    /// Writes a piece of the result to stdout.
    pub(crate) fn result(&self, text: &str) -> Result<(), Failure> {
        self.clear_line();
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Ok(()) => Ok(()),
            // The reader of a pipe has seen enough. Its choice is no failure of ours.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(Failure::lab(format!("stdout: {error}"))),
        }
    }

    fn stderr(&self, text: &str) {
        self.clear_line();
        // There is nowhere left to report a failure of stderr to.
        let _ = writeln!(io::stderr().lock(), "{}", text.trim_end_matches('\n'));
    }

    fn clear_line(&self) {
        let Some(line) = &self.line else { return };
        let mut line = line.lock();
        if line.visible {
            line.visible = false;
            let _ = write!(io::stderr().lock(), "\r\x1b[2K");
        }
    }
}
