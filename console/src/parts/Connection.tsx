// Whether the figures are live, and a sentence where they are not.
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Typography from "@mui/material/Typography";
import { useEffect, useRef } from "react";

import { useLive, type Connection } from "../api/live";
import { useText } from "../text";
import { useAnnounce } from "./announce";

const COLOUR: Record<Connection, string> = {
  connecting: "text.secondary",
  live: "success.main",
  here: "success.main",
  lost: "error.main",
  refused: "warning.main",
  barred: "warning.main",
};

export function ConnectionChip() {
  const { t } = useText();
  const { connection } = useLive();
  return (
    <Box sx={{ display: "flex", alignItems: "center", gap: 1, minWidth: 130 }} data-connection={connection}>
      <Box
        aria-hidden
        sx={{
          width: 9,
          height: 9,
          borderRadius: "50%",
          bgcolor: COLOUR[connection],
          boxShadow: (theme) =>
            COLOUR[connection] === "success.main" ? `0 0 0 3px color-mix(in srgb, ${theme.vars.palette.success.main} 22%, transparent)` : "none",
        }}
      />
      <Typography component="span" sx={{ fontSize: "0.85rem", fontWeight: 600, color: "text.secondary" }}>
        {t.connection[connection]}
      </Typography>
    </Box>
  );
}

/** Stands over the page while the platform is away; laid over it, so that nothing moves. */
export function LostBanner() {
  const { t } = useText();
  const { connection } = useLive();
  const { say } = useAnnounce();
  const wasLost = useRef(false);
  useEffect(() => {
    if (connection === "lost") wasLost.current = true;
    if ((connection === "live" || connection === "here") && wasLost.current) {
      wasLost.current = false;
      say(connection === "live" ? t.backSentence : t.hereSentence);
    }
  }, [connection, say, t]);
  if (connection !== "lost") return null;
  return (
    <Box sx={{ position: "fixed", bottom: 20, left: 0, right: 0, zIndex: 1_300, px: 2, pointerEvents: "none" }}>
      <Alert
        severity="error"
        variant="filled"
        role="alert"
        sx={{ maxWidth: 720, mx: "auto", pointerEvents: "auto", alignItems: "center", bgcolor: "#b91c1c", color: "#fff" }}
      >
        {t.lostSentence}
      </Alert>
    </Box>
  );
}
