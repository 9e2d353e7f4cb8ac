//! Putting texts together.

use std::fmt::{self, Write};

/// Appends what `format_args!` makes; a `String` refuses nothing.
pub(crate) fn push(text: &mut String, appended: fmt::Arguments<'_>) {
    let written = text.write_fmt(appended);
    debug_assert!(written.is_ok(), "a String takes everything");
}
