// Who is connected, and what was said lately: devices beside their sessions, each turn as a trace.
import Box from "@mui/material/Box";
import Skeleton from "@mui/material/Skeleton";
import Typography from "@mui/material/Typography";
import { MessagesSquare } from "lucide-react";

import type { LateTurn, VoiceDevice } from "../../api/types";
import { Code, Under } from "../../parts/bits";
import { Beside, Panel } from "../../parts/Page";
import { Empty, Loaded, useReading } from "../../parts/states";
import { useText } from "../../text";
import { Devices } from "./Devices";
import { Replayable } from "./Replay";

/** Turns of a session that are shown. */
const MOST = 6;

export function Lately() {
  const devices = useReading<{ devices: VoiceDevice[] }>("/api/operator/voice/devices", 5);
  const turns = useReading<{ turns: LateTurn[] }>("/api/operator/voice/turns", 5);
  // Both at once, so that nothing moves when the second one comes.
  const both = turns.data || turns.error ? devices : { ...devices, data: undefined, error: undefined };
  return (
    <Loaded reading={both} skeleton={<Skeleton variant="rounded" height={360} />}>
      {({ devices }) => (
        <Beside columns="1fr 1.4fr">
          <Devices devices={devices} renew={both.renew} />
          <Sessions reading={turns} />
        </Beside>
      )}
    </Loaded>
  );
}

function Sessions({ reading }: { reading: ReturnType<typeof useReading<{ turns: LateTurn[] }>> }) {
  const { t } = useText();
  return (
    <Panel padded title={t.sessions} sentence={t.sessionsSentence}>
      <Loaded reading={reading}>
        {({ turns }) =>
          turns.length === 0 ? (
            <Empty icon={MessagesSquare} title={t.noSessions} sentence={t.noSessionsSentence} />
          ) : (
            <Box sx={{ display: "grid", gap: 3, mt: 1 }}>
              {[...bySession(turns)].map(([session, own]) => (
                <Session key={session} turns={own} />
              ))}
            </Box>
          )
        }
      </Loaded>
    </Panel>
  );
}

/** Turns by their session, the session with the latest turn first; of a person's own where two share a name. */
function bySession(turns: LateTurn[]): Map<string, LateTurn[]> {
  const sessions = new Map<string, LateTurn[]>();
  for (const turn of turns) {
    const name = `${turn.answer.userId} ${turn.answer.sessionId}`;
    sessions.set(name, [...(sessions.get(name) ?? []), turn]);
  }
  return sessions;
}

function Session({ turns }: { turns: LateTurn[] }) {
  const { t, ago, dateTime } = useText();
  const [latest] = turns;
  if (!latest) return null;
  return (
    <Box component="section" data-session={latest.answer.sessionId}>
      <Typography variant="h3" sx={{ fontSize: "0.95rem", fontWeight: 650 }}>
        <Code>{latest.answer.sessionId}</Code>
      </Typography>
      <Under>{[latest.answer.userId, latest.deviceId, ago(latest.at)].filter(Boolean).join(" · ")}</Under>
      <Box component="ol" sx={{ listStyle: "none", m: 0, p: 0, mt: 1, display: "grid", gap: 2 }}>
        {turns.slice(0, MOST).map((turn) => (
          <Box component="li" key={turn.id} sx={{ borderLeft: 3, borderColor: "divider", pl: 1.75 }}>
            <Under>{dateTime(turn.at)}</Under>
            <Typography sx={{ fontWeight: 600, mb: 0.5 }}>{turn.said || t.spokenWords}</Typography>
            <Replayable turn={turn} />
          </Box>
        ))}
      </Box>
      {turns.length > MOST && <Under>{t.moreTurns(turns.length - MOST)}</Under>}
    </Box>
  );
}
