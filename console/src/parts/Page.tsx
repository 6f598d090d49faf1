// A page's heading and its panels.
import Box from "@mui/material/Box";
import Paper from "@mui/material/Paper";
import Typography from "@mui/material/Typography";
import { useEffect, useId, useRef, type ReactNode } from "react";

import { useText } from "../text";

interface PageProps {
  title: string;
  sentence?: string;
  above?: ReactNode;
  actions?: ReactNode;
  children: ReactNode;
}

/** Nothing was opened yet: the browser puts the focus where it belongs by itself. */
let isFirst = true;

export function Page({ title, sentence, above, actions, children }: PageProps) {
  const { t } = useText();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ${t.product}`;
  }, [title, t]);
  // Who listens hears where they are after following a link.
  useEffect(() => {
    if (!isFirst) heading.current?.focus({ preventScroll: true });
    isFirst = false;
    window.scrollTo(0, 0);
  }, []);
  return (
    <>
      <Box component="header" sx={{ display: "flex", flexWrap: "wrap", alignItems: "flex-end", gap: 2, mb: 2.5 }}>
        <Box sx={{ flexGrow: 1, minWidth: 240 }}>
          {above}
          <Typography variant="h1" ref={heading} tabIndex={-1} sx={{ outline: "none" }}>
            {title}
          </Typography>
          {sentence && <Typography sx={{ color: "text.secondary", mt: 0.5 }}>{sentence}</Typography>}
        </Box>
        {actions && <Box sx={{ display: "flex", flexWrap: "wrap", gap: 1 }}>{actions}</Box>}
      </Box>
      {children}
    </>
  );
}

interface PanelProps {
  title?: string;
  sentence?: ReactNode;
  actions?: ReactNode;
  /** Keeps a distance to what is inside; tables need none. */
  padded?: boolean;
  children: ReactNode;
}

export function Panel({ title, sentence, actions, padded = false, children }: PanelProps) {
  const id = useId();
  return (
    <Paper
      component="section"
      aria-labelledby={title ? id : undefined}
      variant="outlined"
      sx={{ minWidth: 0, borderRadius: "12px", overflow: "hidden" }}
    >
      {title && (
        <Box sx={{ display: "flex", flexWrap: "wrap", alignItems: "center", gap: 1, px: 2.5, pt: 1.75, pb: padded ? 0 : 1.25 }}>
          <Box sx={{ flexGrow: 1 }}>
            <Typography variant="h2" id={id}>
              {title}
            </Typography>
            {sentence && (
              <Typography variant="body2" component="div" sx={{ color: "text.secondary" }}>
                {sentence}
              </Typography>
            )}
          </Box>
          {actions}
        </Box>
      )}
      {padded ? <Box sx={{ px: 2.5, py: 1.75 }}>{children}</Box> : children}
    </Paper>
  );
}

/** Panels below each other. */
export function Stacked({ children }: { children: ReactNode }) {
  return <Box sx={{ display: "grid", gap: 2.5, gridTemplateColumns: "minmax(0, 1fr)" }}>{children}</Box>;
}

/** Panels beside each other where there is room. */
export function Beside({ children, columns = "1fr 1fr" }: { children: ReactNode; columns?: string }) {
  const wide = columns.split(" ").map((column) => `minmax(0, ${column})`);
  return (
    <Box sx={{ display: "grid", gap: 2.5, alignItems: "start", gridTemplateColumns: { xs: "minmax(0, 1fr)", lg: wide.join(" ") } }}>
      {children}
    </Box>
  );
}

interface FigureProps {
  name: string;
  value: ReactNode;
  more?: ReactNode;
}

/** Figures in a row. */
export function Figures({ figures }: { figures: FigureProps[] }) {
  const isMore = figures.some(({ more }) => more !== undefined);
  return (
    <Box
      component="dl"
      sx={{ display: "grid", gap: 1.5, m: 0, mb: 2.5, gridTemplateColumns: "repeat(auto-fit, minmax(min(168px, 44%), 1fr))" }}
    >
      {figures.map(({ name, value, more }) => (
        <Paper key={name} component="div" variant="outlined" sx={{ px: 2.25, py: 1.75, borderRadius: "12px" }}>
          <Typography component="dt" sx={{ color: "text.secondary", fontSize: "0.82rem", fontWeight: 550 }}>
            {name}
          </Typography>
          <Box component="dd" sx={{ m: 0 }}>
            <Box component="span" sx={{ display: "block", fontSize: "1.75rem", fontWeight: 660, lineHeight: 1.3, letterSpacing: "-0.02em" }}>
              {value}
            </Box>
            {isMore && (
              <Box component="span" sx={{ display: "block", color: "text.secondary", fontSize: "0.82rem", minHeight: "1.25rem" }}>
                {more}
              </Box>
            )}
          </Box>
        </Paper>
      ))}
    </Box>
  );
}
