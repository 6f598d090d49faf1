// Small things that many pages show: states, identifiers, bodies, lines, choices of a range.
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Chip from "@mui/material/Chip";
import TableContainer from "@mui/material/TableContainer";
import ToggleButton from "@mui/material/ToggleButton";
import ToggleButtonGroup from "@mui/material/ToggleButtonGroup";
import Typography from "@mui/material/Typography";
import { Check, Copy } from "lucide-react";
import { useState, type ReactNode } from "react";

import type { Alert, Wording } from "../api/types";
import { MONOSPACE } from "../theme";
import { useText } from "../text";

export type Tone = "good" | "warning" | "bad" | "info" | "quiet";

const TONES = { good: "success", warning: "warning", bad: "error", info: "info", quiet: "secondary" } as const;

/** A state in a word. The word says it; the colour only repeats it. */
export function StateChip({ tone, children }: { tone: Tone; children: ReactNode }) {
  const name = TONES[tone];
  return (
    <Chip
      size="small"
      label={
        <Box component="span" sx={{ display: "inline-flex", alignItems: "center", gap: 0.75 }}>
          <Box component="span" aria-hidden sx={{ width: 7, height: 7, borderRadius: "50%", bgcolor: `${name}.main` }} />
          {children}
        </Box>
      }
      sx={{
        color: "text.primary",
        bgcolor: (theme) => `color-mix(in srgb, ${theme.vars.palette[name].main} 13%, transparent)`,
        borderRadius: "6px",
      }}
    />
  );
}

export const ALERT_TONE = { info: "info", warning: "warning", critical: "bad" } as const;

/** A sentence of the platform in the visitor's language; in its own where no dictionary knows its code. */
export function Said({ wording, sentence }: { wording: Wording | undefined; sentence: string }) {
  const { words, knows } = useText();
  return knows(wording) ? <>{words(wording, sentence)}</> : <span lang="en">{sentence}</span>;
}

/** An alert in one line. */
export function AlertLine({ alert }: { alert: Alert }) {
  const { t, ago } = useText();
  const title = t.alertTitle(alert.kind);
  const since = alert.since && t.since(ago(alert.since));
  return (
    <Box sx={{ display: "flex", gap: 1.25, alignItems: "center" }}>
      <StateChip tone={ALERT_TONE[alert.severity]}>{t.severity[alert.severity]}</StateChip>
      <Box component="span" sx={{ minWidth: 0 }}>
        {title}
        {title ? (
          <Under>
            <Said wording={alert.wording} sentence={alert.message} />
            {since && ` · ${since}`}
          </Under>
        ) : (
          <>
            <Said wording={alert.wording} sentence={alert.message} />
            {since && <Under>{since}</Under>}
          </>
        )}
      </Box>
    </Box>
  );
}

export function Code({ children }: { children: ReactNode }) {
  return (
    <Box component="code" sx={{ fontFamily: MONOSPACE, fontSize: "0.88em" }}>
      {children}
    </Box>
  );
}

/** A sentence in which what stands between backticks is something to type. */
export function Prose({ children }: { children: string }) {
  const piece = (text: string, place: number) =>
    place % 2 === 1 ? (
      <Box key={place} component="span" sx={{ whiteSpace: "nowrap" }}>
        <Code>{text}</Code>
      </Box>
    ) : (
      text
    );
  return <>{children.split("`").map(piece)}</>;
}

/** A second line below a cell's first. */
export function Under({ children, tone }: { children: ReactNode; tone?: string }) {
  return (
    <Typography component="div" variant="caption" sx={{ color: tone ?? "text.secondary", lineHeight: 1.45 }}>
      {children}
    </Typography>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    // Not every answer is JSON; it is shown as it came.
    return text;
  }
}

/** A body as it was sent, laid out where it is JSON. */
export function Body({ text, label }: { text: string; label: string }) {
  return (
    <Box
      component="pre"
      tabIndex={0}
      role="region"
      aria-label={label}
      sx={{
        m: 0,
        p: 1.75,
        maxHeight: 320,
        overflow: "auto",
        borderRadius: "8px",
        border: 1,
        borderColor: "divider",
        bgcolor: "background.default",
        fontFamily: MONOSPACE,
        fontSize: "0.8rem",
        lineHeight: 1.55,
        whiteSpace: "pre-wrap",
        wordBreak: "break-word",
      }}
    >
      {pretty(text)}
    </Box>
  );
}

export function CopyButton({ text }: { text: string }) {
  const { t } = useText();
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setCopied(true);
  };
  return (
    <Button
      variant="outlined"
      startIcon={copied ? <Check size={16} aria-hidden /> : <Copy size={16} aria-hidden />}
      onClick={() => void copy()}
    >
      <span aria-live="polite">{copied ? t.copied : t.copy}</span>
    </Button>
  );
}

/** A table that scrolls sideways by itself where it does not fit, by keyboard too. */
export function Scrolling({ label, children }: { label: string; children: ReactNode }) {
  return (
    <TableContainer tabIndex={0} role="region" aria-label={label} sx={{ "&:focus-visible": { outline: "2px solid", outlineOffset: -2 } }}>
      {children}
    </TableContainer>
  );
}

interface OneOfProps<T extends string> {
  label: string;
  value: T;
  choices: { value: T; name: string }[];
  onChoose: (value: T) => void;
}

/** One of a few. */
export function OneOf<T extends string>({ label, value, choices, onChoose }: OneOfProps<T>) {
  return (
    <ToggleButtonGroup
      exclusive
      size="small"
      aria-label={label}
      value={value}
      onChange={(_, next: T | null) => next && onChoose(next)}
    >
      {choices.map((choice) => (
        <ToggleButton key={choice.value} value={choice.value} sx={{ px: 1.5, py: 0.4, textTransform: "none", fontWeight: 600 }}>
          {choice.name}
        </ToggleButton>
      ))}
    </ToggleButtonGroup>
  );
}

const LINE = { width: 140, height: 36 };

/** A line of past figures, small enough for a row. Drawn here: a chart library is not worth its size for it. */
export function Sparkline({ points, label }: { points: number[]; label: string }) {
  const { t } = useText();
  if (points.length < 2) {
    return <Box sx={{ ...LINE, display: "flex", alignItems: "center", color: "text.secondary", fontSize: "0.8rem" }}>{t.gathering}</Box>;
  }
  const low = Math.min(...points);
  const span = Math.max(...points) - low || 1;
  const place = (value: number, i: number) => {
    const x = (i / (points.length - 1)) * LINE.width;
    return `${x.toFixed(1)},${(LINE.height - 3 - ((value - low) / span) * (LINE.height - 6)).toFixed(1)}`;
  };
  const path = points.map((value, i) => `${i === 0 ? "M" : "L"}${place(value, i)}`).join("");
  return (
    <Box component="svg" role="img" aria-label={label} viewBox={`0 0 ${LINE.width} ${LINE.height}`} sx={{ ...LINE, display: "block", color: "primary.main" }}>
      <path d={`${path}L${LINE.width},${LINE.height}L0,${LINE.height}Z`} fill="currentColor" opacity="0.12" />
      <path d={path} fill="none" stroke="currentColor" strokeWidth="1.8" strokeLinejoin="round" />
    </Box>
  );
}

/** A share as a bar, with its figure beside it. */
export function Share({ share, label }: { share: number; label: string }) {
  const { percent } = useText();
  return (
    <Box sx={{ display: "flex", alignItems: "center", gap: 1, minWidth: 116 }}>
      <Box
        role="meter"
        aria-label={label}
        aria-valuenow={Math.round(share * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
        sx={{ flexGrow: 1, height: 6, borderRadius: "12px", bgcolor: "divider", overflow: "hidden" }}
      >
        <Box sx={{ width: "100%", height: "100%", borderRadius: "12px", bgcolor: "primary.main", transformOrigin: "left" }} style={{ transform: `scaleX(${Math.min(1, share)})` }} />
      </Box>
      <Box component="span" sx={{ minWidth: 38, textAlign: "right", fontSize: "0.85rem" }}>
        {percent(share)}
      </Box>
    </Box>
  );
}
