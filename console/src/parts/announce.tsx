// Says to screen readers what changed, seldom enough to be listened to.
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Snackbar from "@mui/material/Snackbar";
import { createContext, useCallback, useContext, useMemo, useRef, useState, type ReactNode } from "react";

interface Announcing {
  /** Says something politely: at once, or with the next turn where something was said just now. */
  say: (text: string) => void;
  /** Shows and says what came of something that was done. */
  tell: (text: string) => void;
}

/** The least time between two sentences, milliseconds. */
const PAUSE = 4_000;

const Context = createContext<Announcing>({ say: () => {}, tell: () => {} });

export function Announcer({ children }: { children: ReactNode }) {
  const [text, setText] = useState("");
  const [told, setTold] = useState<{ text: string; at: number } | null>(null);
  const waiting = useRef<string | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | null>(null);

  const say = useCallback((next: string) => {
    if (timer.current) {
      // What is newest counts; what was not said in time is old.
      waiting.current = next;
      return;
    }
    setText(next);
    timer.current = setTimeout(function turn() {
      timer.current = null;
      if (waiting.current === null) return;
      setText(waiting.current);
      waiting.current = null;
      timer.current = setTimeout(turn, PAUSE);
    }, PAUSE);
  }, []);
  const tell = useCallback((next: string) => setTold({ text: next, at: Date.now() }), []);
  const value = useMemo(() => ({ say, tell }), [say, tell]);

  return (
    <Context value={value}>
      {children}
      <Box
        role="status"
        aria-live="polite"
        data-announcer=""
        sx={{ position: "absolute", width: 1, height: 1, overflow: "hidden", clipPath: "inset(50%)", whiteSpace: "nowrap" }}
        style={{ width: 1, height: 1 }}
      >
        {text}
      </Box>
      <Snackbar
        key={told?.at}
        open={told !== null}
        autoHideDuration={6_000}
        onClose={(_, why) => why !== "clickaway" && setTold(null)}
        anchorOrigin={{ vertical: "bottom", horizontal: "center" }}
      >
        <Alert severity="success" variant="filled" role="status" onClose={() => setTold(null)}>
          {told?.text}
        </Alert>
      </Snackbar>
    </Context>
  );
}

export function useAnnounce(): Announcing {
  return useContext(Context);
}
