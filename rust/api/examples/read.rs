//! Reads dumps and tells how long that took and how much memory it needed.
//!
//! `cargo run --release -p bayplan-api --example read -- FILE …`

use std::io::Write;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::stdout().lock();
    for path in std::env::args().skip(1) {
        #[expect(clippy::disallowed_methods, reason = "it measures")]
        let start = std::time::Instant::now();
        let mut reader = bayplan_api::Reader::new();
        match path.as_str() {
            "-" => reader.read_stream("<stdin>", std::io::stdin())?,
            _ => reader.read_path(&path)?,
        }
        let objects = reader.finish()?;
        let seconds = start.elapsed().as_secs_f64();
        let size = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
        writeln!(
            out,
            "{path}: {} nodes, {} pods, {} kinds skipped, {size} bytes in {seconds:.3} s",
            objects.nodes.len(),
            objects.pods.len(),
            objects.skipped.len(),
        )?;
        // the process ends anyway
        std::mem::forget(objects);
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM unknown");
    writeln!(out, "{peak}")?;
    Ok(())
}
