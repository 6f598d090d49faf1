// Asking before something is done, and showing more of one thing.
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogContentText from "@mui/material/DialogContentText";
import DialogTitle from "@mui/material/DialogTitle";
import Typography from "@mui/material/Typography";
import { useId, useState, type ReactNode } from "react";

import { Problem } from "../api/client";
import { useText } from "../text";
import { CopyButton } from "./bits";
import { sentence as says } from "./states";

/** Runs something that may fail, and knows whether it runs and why it failed. */
export function useDoing() {
  const [doing, setDoing] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const run = async (work: () => Promise<void>) => {
    setDoing(true);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(500, "internal", "console.failed", String(error)));
    } finally {
      setDoing(false);
    }
  };
  return { doing, problem, run, clear: () => setProblem(null) };
}

interface AskProps {
  title: string;
  sentence?: string;
  /** What the button says. */
  action: string;
  /** Whether it cannot be undone. */
  isGrave?: boolean;
  maxWidth?: "xs" | "sm" | "md";
  onDo: (form: FormData) => Promise<void>;
  onClose: () => void;
  children?: ReactNode;
}

/** Asks for what is needed, does it, and stays open with the reason where it fails. */
export function Ask({ title, sentence, action, isGrave, maxWidth = "xs", onDo, onClose, children }: AskProps) {
  const { t } = useText();
  const id = useId();
  const { doing, problem, run } = useDoing();
  return (
    <Dialog open onClose={doing ? undefined : onClose} maxWidth={maxWidth} fullWidth aria-labelledby={id}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          const form = new FormData(event.currentTarget);
          void run(() => onDo(form));
        }}
      >
        <DialogTitle id={id}>{title}</DialogTitle>
        <DialogContent>
          {sentence && <DialogContentText sx={{ mb: children ? 2.5 : 0 }}>{sentence}</DialogContentText>}
          {children}
          {problem && (
            <Alert severity="error" role="alert" sx={{ mt: 2 }}>
              {says(t, problem)}
            </Alert>
          )}
        </DialogContent>
        <DialogActions sx={{ px: 3, pb: 2 }}>
          <Button color="secondary" onClick={onClose} disabled={doing}>
            {t.cancel}
          </Button>
          <Button type="submit" variant="contained" color={isGrave ? "error" : "primary"} loading={doing}>
            {action}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

interface ShowProps {
  title: ReactNode;
  actions?: ReactNode;
  maxWidth?: "sm" | "md";
  onClose: () => void;
  children: ReactNode;
}

/** Shows more of one thing. */
export function Show({ title, actions, maxWidth = "md", onClose, children }: ShowProps) {
  const { t } = useText();
  const id = useId();
  return (
    <Dialog open onClose={onClose} maxWidth={maxWidth} fullWidth aria-labelledby={id}>
      <DialogTitle id={id}>{title}</DialogTitle>
      <DialogContent>{children}</DialogContent>
      <DialogActions sx={{ px: 3, pb: 2 }}>
        {actions}
        <Box sx={{ flexGrow: 1 }} />
        <Button color="secondary" onClick={onClose}>
          {t.close}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

interface ShowOnceProps {
  title: string;
  /** What is to be done with it. */
  sentence: string;
  /** What the text is. */
  label: string;
  text: string;
  onClose: () => void;
  children?: ReactNode;
}

/** Shows a secret, this once. It does not close by a click beside it. */
export function ShowOnce({ title, sentence, label, text, onClose, children }: ShowOnceProps) {
  const { t } = useText();
  const id = useId();
  return (
    <Dialog open onClose={(_, why) => why !== "backdropClick" && onClose()} maxWidth="sm" fullWidth aria-labelledby={id}>
      <DialogTitle id={id}>{title}</DialogTitle>
      <DialogContent>
        <Alert severity="warning" sx={{ mb: 2 }}>
          {sentence}
        </Alert>
        <Box
          component="output"
          aria-label={label}
          sx={{ display: "block", p: 1.75, borderRadius: "8px", border: 1, borderColor: "divider", bgcolor: "background.default" }}
        >
          <Typography component="code" data-secret="" sx={{ fontFamily: "monospace", wordBreak: "break-all" }}>
            {text}
          </Typography>
        </Box>
        {children}
      </DialogContent>
      <DialogActions sx={{ px: 3, pb: 2 }}>
        <CopyButton text={text} />
        <Box sx={{ flexGrow: 1 }} />
        <Button color="secondary" onClick={onClose}>
          {t.close}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

/** Names and values below each other. */
export function Facts({ facts }: { facts: [string, ReactNode][] }) {
  return (
    <Box component="dl" sx={{ display: "grid", gridTemplateColumns: { sm: "minmax(110px, auto) 1fr" }, gap: "6px 20px", m: 0 }}>
      {facts.map(([name, value]) => (
        <Box key={name} sx={{ display: "contents" }}>
          <Typography component="dt" variant="body2" sx={{ color: "text.secondary" }}>
            {name}
          </Typography>
          <Typography component="dd" variant="body2" sx={{ m: 0, minWidth: 0, overflowWrap: "anywhere" }}>
            {value}
          </Typography>
        </Box>
      ))}
    </Box>
  );
}
