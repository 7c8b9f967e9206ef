//! The colours of plots, on a light page and on a dark one.

use plotters::style::RGBColor;

use super::chart::Hue;

/// Which page it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Theme {
    Light,
    Dark,
}

impl Theme {
    /// What is read.
    pub(super) const fn ink(self) -> RGBColor {
        match self {
            Self::Light => RGBColor(0x22, 0x26, 0x2b),
            Self::Dark => RGBColor(0xdd, 0xe1, 0xe6),
        }
    }

    /// What is seen beside it.
    pub(super) const fn muted(self) -> RGBColor {
        match self {
            Self::Light => RGBColor(0x6b, 0x72, 0x7b),
            Self::Dark => RGBColor(0x96, 0x9e, 0xa8),
        }
    }

    /// What only guides the eye.
    pub(super) const fn grid(self) -> RGBColor {
        match self {
            Self::Light => RGBColor(0xe2, 0xe5, 0xe9),
            Self::Dark => RGBColor(0x30, 0x36, 0x3d),
        }
    }

    /// After Okabe and Ito, darker on a light page and lighter on a dark one.
    pub(super) const fn colour(self, hue: Hue) -> RGBColor {
        match (self, hue) {
            (Self::Light, Hue::Blue) => RGBColor(0x00, 0x5f, 0x9e),
            (Self::Light, Hue::Sky) => RGBColor(0x2b, 0x8c, 0xc4),
            (Self::Light, Hue::Vermilion) => RGBColor(0xc4, 0x50, 0x00),
            (Self::Light, Hue::Amber) => RGBColor(0xa8, 0x74, 0x00),
            (Self::Light, Hue::Green) => RGBColor(0x00, 0x7d, 0x5b),
            (Self::Dark, Hue::Blue) => RGBColor(0x5a, 0xa9, 0xe6),
            (Self::Dark, Hue::Sky) => RGBColor(0x9a, 0xd7, 0xff),
            (Self::Dark, Hue::Vermilion) => RGBColor(0xf0, 0x7f, 0x45),
            (Self::Dark, Hue::Amber) => RGBColor(0xf2, 0xc1, 0x4e),
            (Self::Dark, Hue::Green) => RGBColor(0x3c, 0xc9, 0xa0),
        }
    }
}
