// The look: one accent, quiet surfaces, figures that keep their width; light and dark.
import { createTheme } from "@mui/material/styles";
import type {} from "@mui/material/themeCssVarsAugmentation";

/** Colours of chart series, told apart by lightness too. */
export const SERIES = {
  light: ["#0f766e", "#b45309", "#6d28d9", "#0369a1", "#be185d", "#4d7c0f"],
  dark: ["#2dd4bf", "#fbbf24", "#a78bfa", "#38bdf8", "#f472b6", "#a3e635"],
};

const FONT = [
  "Pretendard",
  "Inter",
  "system-ui",
  "-apple-system",
  '"Segoe UI"',
  "Roboto",
  '"Apple SD Gothic Neo"',
  '"Noto Sans KR"',
  '"Malgun Gothic"',
  "NanumGothic",
  "sans-serif",
].join(",");

export const MONOSPACE = 'ui-monospace, "SF Mono", "Cascadia Mono", Menlo, "DejaVu Sans Mono", NanumGothicCoding, monospace';

export const theme = createTheme({
  cssVariables: { colorSchemeSelector: "data" },
  colorSchemes: {
    light: {
      palette: {
        primary: { main: "#0f766e" },
        secondary: { main: "#475569" },
        success: { main: "#15803d" },
        warning: { main: "#a16207" },
        error: { main: "#b91c1c" },
        info: { main: "#0369a1" },
        background: { default: "#f6f7f9", paper: "#ffffff" },
        text: { primary: "#0f172a", secondary: "#52606f" },
        divider: "#e3e7ec",
      },
    },
    dark: {
      palette: {
        primary: { main: "#2dd4bf", contrastText: "#042f2b" },
        secondary: { main: "#94a3b8" },
        success: { main: "#4ade80" },
        warning: { main: "#fbbf24" },
        error: { main: "#fda4a4", contrastText: "#3b0a0a" },
        info: { main: "#38bdf8" },
        background: { default: "#0d1117", paper: "#151b23" },
        text: { primary: "#e8edf3", secondary: "#9aa7b4" },
        divider: "#27303a",
      },
    },
  },
  shape: { borderRadius: 8 },
  typography: {
    fontFamily: FONT,
    fontSize: 14,
    h1: { fontSize: "1.5rem", fontWeight: 680, letterSpacing: "-0.015em", lineHeight: 1.25 },
    h2: { fontSize: "1rem", fontWeight: 650, letterSpacing: "-0.005em", lineHeight: 1.4 },
    h3: { fontSize: "0.875rem", fontWeight: 650, lineHeight: 1.4 },
    button: { textTransform: "none", fontWeight: 600 },
    caption: { fontSize: "0.78rem" },
  },
  components: {
    MuiCssBaseline: {
      styleOverrides: {
        // The place of the scroll bar is kept, so that nothing moves when a page grows.
        html: { scrollbarGutter: "stable" },
        body: { fontVariantNumeric: "tabular-nums", wordBreak: "keep-all", overflowWrap: "break-word" },
        "@media (prefers-reduced-motion: reduce)": {
          "*, *::before, *::after": { animationDuration: "0.01ms !important", transitionDuration: "0.01ms !important" },
        },
      },
    },
    MuiPaper: { defaultProps: { elevation: 0 }, styleOverrides: { root: { backgroundImage: "none" } } },
    MuiButton: { defaultProps: { disableElevation: true } },
    MuiTableCell: {
      styleOverrides: {
        root: ({ theme }) => ({
          padding: "10px 16px",
          borderColor: theme.vars.palette.divider,
          "&:first-child": { paddingLeft: 20 },
          "&:last-child": { paddingRight: 20 },
        }),
        head: ({ theme }) => ({
          color: theme.vars.palette.text.secondary,
          fontSize: "0.78rem",
          fontWeight: 600,
          whiteSpace: "nowrap",
        }),
      },
    },
    MuiTableRow: { styleOverrides: { root: { "&:last-child > td, &:last-child > th": { borderBottom: 0 } } } },
    MuiChip: { styleOverrides: { root: { fontWeight: 600 } } },
    MuiToggleButton: { styleOverrides: { root: ({ theme }) => ({ color: theme.vars.palette.text.secondary }) } },
    MuiTooltip: { defaultProps: { arrow: true } },
    MuiDialogTitle: { styleOverrides: { root: { fontSize: "1.1rem", fontWeight: 660 } } },
    MuiDialog: { styleOverrides: { paper: ({ theme }) => ({ border: `1px solid ${theme.vars.palette.divider}` }) } },
  },
});
