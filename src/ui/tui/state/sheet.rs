//! Sheets to fill in once the run is over.

use super::{State, Watching};
use crate::ui::tui::errand::Errand;
use crate::ui::tui::form::Stroke;
use crate::ui::tui::sheet::{Filled, Sheet};

/// Which sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Signature,
    Waiver,
    Export,
    Again,
}

impl State {
    /// Opens a sheet, or says why not.
    pub(super) fn open_sheet(&mut self, wanted: Wanted) {
        if self.watching == Watching::Recording {
            self.notice = Some("this is a recording: use golive sign, report or check --again on its run");
            return;
        }
        let Some(policy) = self.story.policy().filter(|_| !self.moving()) else {
            self.notice = Some("wait until the run is over");
            return;
        };
        let sheet = match (wanted, self.card()) {
            (Wanted::Signature, _) => Sheet::sign(policy, &self.story),
            (Wanted::Export, _) => Sheet::export(&self.story),
            (Wanted::Waiver, Some(card)) => Sheet::propose(policy, &self.story, card),
            (Wanted::Again, Some(card)) => Sheet::again(policy, &self.story, card),
            (Wanted::Waiver, None) => Err("select the check that is to be waived"),
            (Wanted::Again, None) => Err("select the check that is to be measured again"),
        };
        match sheet {
            Ok(sheet) => self.sheet = Some(sheet),
            Err(why) => self.notice = Some(why),
        }
    }

    /// Takes in a key while a sheet is open; what is to be done.
    pub fn fill(&mut self, stroke: Stroke) -> Option<Errand> {
        match self.sheet.as_mut()?.press(stroke) {
            Filled::Typed => None,
            Filled::Closed => {
                self.sheet = None;
                None
            }
            Filled::Ready(errand) => Some(errand),
        }
    }

    /// Takes in what came of it.
    pub fn told(&mut self, result: Result<String, String>) {
        if let Some(sheet) = &mut self.sheet {
            sheet.told(result);
        }
    }
}
