//! How a later layer may change a value that is no limit.

/// How a later value may differ from an earlier one; an error says why it may not.
pub(super) type Rule<T> = fn(&T, &T) -> Result<(), &'static str>;

/// Set once.
pub(super) fn fixed<T>(_: &T, _: &T) -> Result<(), &'static str> {
    Err("is set already; a later layer may not change it")
}

/// Raised only.
pub(super) fn rising<T: PartialOrd>(earlier: &T, later: &T) -> Result<(), &'static str> {
    if later >= earlier { Ok(()) } else { Err("loosens what an earlier layer asks; it may only be raised") }
}

/// Lowered only.
pub(super) fn shrinking<T: PartialOrd>(earlier: &T, later: &T) -> Result<(), &'static str> {
    if later <= earlier {
        Ok(())
    } else {
        Err("loosens what an earlier layer asks; it may only be shortened")
    }
}
