//! The pages of the screen. A new page is a variant here, a file in `view/` and its line in
//! [`super::view::draw`].

/// What the middle of the screen shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Each check, with the details and charts of the selected one.
    Checks,
    /// Targets by ways out.
    Matrix,
    /// The way out, station by station.
    WayOut,
    /// Earlier runs of the event.
    History,
}

impl Page {
    /// All, in the order of their tabs; the digits 1, 2, … open them.
    pub const ALL: &'static [Self] = &[Self::Checks, Self::Matrix, Self::WayOut, Self::History];

    /// Its tab.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Checks => "Checks",
            Self::Matrix => "Matrix",
            Self::WayOut => "Way out",
            Self::History => "Earlier runs",
        }
    }

    /// The page of a tab, counted from 0.
    pub fn at(tab: usize) -> Option<Self> {
        Self::ALL.get(tab).copied()
    }

    /// The tab beside this one, around the ends.
    #[must_use]
    pub fn beside(self, forward: bool) -> Self {
        let all = Self::ALL.len();
        let here = Self::ALL.iter().position(|page| *page == self).unwrap_or(0);
        let next = if forward { here + 1 } else { here + all - 1 };
        Self::at(next % all).unwrap_or(self)
    }
}
