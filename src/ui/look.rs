//! Decides from flags, environment and terminal how output looks. Pure.

use crate::text::Palette;

/// What is known about where output goes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminal {
    /// Standard input is a terminal.
    pub input: bool,
    /// Standard output is a terminal.
    pub out: bool,
    /// Standard error is a terminal.
    pub err: bool,
    /// `TERM=dumb`: it understands no control sequences.
    pub dumb: bool,
    /// `CI` is set: somebody reads it later, nobody answers now.
    pub ci: bool,
    /// `NO_COLOR` is set and not empty (no-color.org), or `--no-color` given.
    pub no_colour: bool,
}

/// How output looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// Results as JSON, one document a line.
    pub json: bool,
    /// More is told.
    pub verbose: bool,
    /// Colours on standard output.
    pub out: Palette,
    /// Colours on standard error.
    pub err: Palette,
    /// Progress is drawn in place rather than printed in lines.
    pub bars: bool,
    /// Somebody is there to answer a question.
    pub interactive: bool,
}

impl Look {
    /// How output looks on this terminal.
    pub fn new(terminal: Terminal, json: bool, verbose: bool) -> Self {
        let colour = |is_terminal: bool| Palette {
            colour: is_terminal && !terminal.dumb && !terminal.no_colour,
        };
        Self {
            json,
            verbose,
            out: Palette {
                colour: colour(terminal.out).colour && !json,
            },
            err: colour(terminal.err),
            bars: terminal.err && !terminal.dumb && !terminal.ci,
            interactive: terminal.input && terminal.err && !terminal.ci,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMINAL: Terminal = Terminal {
        input: true,
        out: true,
        err: true,
        dumb: false,
        ci: false,
        no_colour: false,
    };

    #[test]
    fn a_terminal_has_colours_lanes_and_somebody_to_ask() {
        let look = Look::new(TERMINAL, false, false);
        assert!(look.out.colour && look.err.colour && look.bars && look.interactive);
    }

    #[test]
    fn a_pipe_has_none_of_them() {
        let look = Look::new(Terminal::default(), false, false);
        assert_eq!(look, Look::default());
    }

    #[test]
    fn no_color_takes_only_the_colours() {
        let terminal = Terminal {
            no_colour: true,
            ..TERMINAL
        };
        let look = Look::new(terminal, false, false);
        assert!(!look.out.colour && !look.err.colour && look.bars && look.interactive);
    }

    #[test]
    fn a_dumb_terminal_gets_plain_lines_and_can_still_be_asked() {
        let terminal = Terminal {
            dumb: true,
            ..TERMINAL
        };
        let look = Look::new(terminal, false, false);
        assert!(!look.err.colour && !look.bars && look.interactive);
    }

    #[test]
    fn ci_is_never_asked_and_json_is_never_coloured() {
        let terminal = Terminal {
            ci: true,
            ..TERMINAL
        };
        let look = Look::new(terminal, true, false);
        assert!(!look.interactive && !look.bars && !look.out.colour);
    }
}
