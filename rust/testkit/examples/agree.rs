//! Replays recorded cases against the readable model: `agree FILE.jsonl[.gz] …`.

#![expect(clippy::print_stdout, reason = "a program that reports")]

use std::fs::File;
use std::io::{BufRead, BufReader, Error, Read};
use std::path::Path;
use std::process::ExitCode;

use bayplan_testkit::model::Model;
use bayplan_testkit::oracle::{Case, differences};
use flate2::read::MultiGzDecoder;

fn main() -> Result<ExitCode, Error> {
    let mut all_agree = true;
    for path in std::env::args().skip(1) {
        let (mut cases, mut agreeing, mut decisions) = (0, 0, 0);
        let file = File::open(&path)?;
        let bytes: Box<dyn Read> = if Path::new(&path).extension().is_some_and(|own| own == "gz") {
            Box::new(MultiGzDecoder::new(file))
        } else {
            Box::new(file)
        };
        let reader = BufReader::new(bytes);
        for line in reader.lines() {
            let case = match Case::from_line(&line?) {
                Ok(case) => case,
                Err(error) => {
                    println!("{path}: {}", error.0);
                    cases += 1;
                    continue;
                }
            };
            let actual = Model::new(&case.objects, case.profile).run();
            let found = differences(&case.expected, &actual);
            for difference in found.iter().take(5) {
                println!("{}: {difference}", case.id);
            }
            cases += 1;
            decisions += case.expected.len();
            agreeing += usize::from(found.is_empty());
        }
        println!("{path}: {agreeing} of {cases} cases agree, {decisions} decisions");
        all_agree &= agreeing == cases;
    }
    Ok(if all_agree { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
