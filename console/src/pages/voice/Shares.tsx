// What was meant in the days that are shown, and who spoke: the most first, each with a bar of its share.
import Box from "@mui/material/Box";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import Typography from "@mui/material/Typography";
import type { ReactNode } from "react";

import type { VoiceStatistics } from "../../api/types";
import { Code, Under } from "../../parts/bits";
import { useText } from "../../text";

/** What a turn means that nobody understood. */
const UNKNOWN = "unknown";
/** The height of a table; what is longer scrolls within it. */
const TABLE = 232;
const HEADING = 30;
const GAP = 20;
/** The height of both, below each other and beside each other: the same before anything is known. */
export const SHARES = { xs: 2 * (TABLE + HEADING) + 2 * GAP, md: TABLE + HEADING + GAP };

interface Row {
  name: string;
  shown: ReactNode;
  under?: string;
  turns: number;
}

export function Shares({ tallies, people }: Pick<VoiceStatistics, "tallies" | "people">) {
  const { t, ago } = useText();
  const counts = new Map<string, number>();
  for (const { intent, turns } of tallies) counts.set(intent, (counts.get(intent) ?? 0) + turns);
  const named = (intent: string) => (intent === UNKNOWN ? t.outcomes.not_understood : <Code>{intent}</Code>);
  const intents = [...counts].map(([name, turns]) => ({ name, shown: named(name), turns }));
  const last = (intent: string) => (intent === UNKNOWN ? t.outcomes.not_understood : intent);
  const speakers = people.map(({ userId, turns, at, intent }) => {
    return { name: userId, shown: <Code>{userId}</Code>, under: `${ago(at)} · ${last(intent)}`, turns };
  });
  return (
    <Box sx={{ display: "grid", gap: `${GAP}px`, mt: `${GAP}px`, gridTemplateColumns: { xs: "minmax(0, 1fr)", md: "repeat(2, minmax(0, 1fr))" } }}>
      <Share title={t.byIntent} heading={t.intent} rows={intents} />
      <Share title={t.byPerson} heading={t.person} rows={speakers} />
    </Box>
  );
}

function Share({ title, heading, rows }: { title: string; heading: string; rows: Row[] }) {
  const { t, number, percent } = useText();
  const whole = rows.reduce((sum, row) => sum + row.turns, 0);
  const sorted = [...rows].sort((one, other) => other.turns - one.turns || one.name.localeCompare(other.name));
  return (
    <Box>
      <Typography variant="h3" sx={{ height: HEADING }}>
        {title}
      </Typography>
      <TableContainer tabIndex={0} role="region" aria-label={title} sx={{ height: TABLE, "&:focus-visible": { outline: "2px solid", outlineOffset: -2 } }}>
        <Table size="small" stickyHeader sx={{ "& th, & td": { px: { xs: 1, sm: 2 } }, "& th": { bgcolor: "background.paper" }, "& th:first-of-type": { pl: 0 }, "& code": { overflowWrap: "anywhere" } }}>
          <TableHead>
            <TableRow>
              <TableCell>{heading}</TableCell>
              <TableCell align="right">{t.turnCount}</TableCell>
              <TableCell align="right">{t.share}</TableCell>
            </TableRow>
          </TableHead>
          <TableBody>
            {sorted.map((row) => (
              <TableRow key={row.name}>
                <TableCell component="th" scope="row" sx={{ width: "100%" }}>
                  {row.shown}
                  {row.under && <Under>{row.under}</Under>}
                  <Box aria-hidden sx={{ mt: 0.5, height: 5, borderRadius: "3px", bgcolor: "divider" }}>
                    <Box sx={{ height: "100%", minWidth: 3, borderRadius: "3px", bgcolor: "primary.main", width: `${(100 * row.turns) / whole}%` }} />
                  </Box>
                </TableCell>
                <TableCell align="right">{number(row.turns)}</TableCell>
                <TableCell align="right">{percent(row.turns / whole)}</TableCell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      </TableContainer>
    </Box>
  );
}
