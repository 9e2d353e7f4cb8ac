//! Columns of allocatable resources as the node objects that they stand for.

use indexmap::IndexSet;

use crate::error::{Fault, NativeError};
use crate::json::quote;

/// A `NodeList` as JSON: one node a row, so that names, labels and numbers are checked as those of a dump are.
///
/// # Errors
///
/// `NativeError::Argument` when columns differ in length; `NativeError::Object` when a name stands twice.
pub(crate) fn nodes_from_columns(
    columns: &[(String, Vec<i64>)],
    names: Option<&[String]>,
    labels: &[(String, Vec<Option<String>>)],
) -> Result<Vec<u8>, NativeError> {
    // columns that were single numbers have one row; every other column says how many nodes there are
    let lengths = columns
        .iter()
        .map(|(name, column)| (name.as_str(), column.len()))
        .chain(names.map(|names| ("names", names.len())))
        .chain(labels.iter().map(|(key, column)| (key.as_str(), column.len())));
    let count = columns.iter().map(|(_, column)| column.len()).max().unwrap_or(0);
    if let Some((name, length)) = lengths.into_iter().find(|&(_, length)| length != count) {
        let message = format!("{length} values for {count} nodes");
        return Err(NativeError::argument(Fault::new(message).field(name)));
    }
    // the reader takes an equal object for the same one read again
    let mut seen = IndexSet::new();
    if let Some(name) = names.into_iter().flatten().find(|name| !seen.insert(name.as_str())) {
        let object = Some(format!("Node {name}"));
        return Err(NativeError::object(Fault { object, ..Fault::new("stands twice in names") }));
    }
    let mut text = br#"{"kind":"NodeList","apiVersion":"v1","items":["#.to_vec();
    for row in 0..count {
        if row > 0 {
            text.push(b',');
        }
        let given = names.and_then(|names| names.get(row)).cloned();
        let name = given.unwrap_or_else(|| format!("node-{row}"));
        text.extend_from_slice(br#"{"metadata":{"name":"#);
        quote(&mut text, &name);
        text.extend_from_slice(br#","labels":{"#);
        let mut hostname = Some(("kubernetes.io/hostname", name.as_str()));
        let mut first = true;
        let given = labels.iter().filter_map(|(key, column)| {
            column.get(row).and_then(Option::as_deref).map(|value| (key.as_str(), value))
        });
        if labels.iter().any(|(key, _)| key == "kubernetes.io/hostname") {
            hostname = None;
        }
        for (key, value) in hostname.into_iter().chain(given) {
            member(&mut text, &mut first, key, |text| quote(text, value));
        }
        text.extend_from_slice(br#"}},"status":{"allocatable":{"#);
        let mut first = true;
        for (resource, column) in columns {
            let amount = column.get(row).copied().unwrap_or_default();
            let unit = if resource == "cpu" { "m" } else { "" };
            member(&mut text, &mut first, resource, |text| quote(text, &format!("{amount}{unit}")));
        }
        text.extend_from_slice(b"}}}");
    }
    text.extend_from_slice(b"]}");
    Ok(text)
}

fn member(text: &mut Vec<u8>, first: &mut bool, key: &str, value: impl FnOnce(&mut Vec<u8>)) {
    if !std::mem::take(first) {
        text.push(b',');
    }
    quote(text, key);
    text.push(b':');
    value(text);
}
