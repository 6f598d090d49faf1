// The programme of an event: rooms and slots, with how many people came to each.
import Box from "@mui/material/Box";
import MuiLink from "@mui/material/Link";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";

import { path } from "../../api/client";
import type { Programme } from "../../api/types";
import { Scrolling, Share, StateChip, Under } from "../../parts/bits";
import { Panel } from "../../parts/Page";
import { Loaded, Quiet, useReading } from "../../parts/states";
import { useText } from "../../text";

export function ProgrammePanel({ eventId }: { eventId: string }) {
  const { t } = useText();
  const reading = useReading<Programme>(path`/api/events/${eventId}/programme`, 60);
  return (
    <Panel title={t.programme}>
      {reading.isAbsent ? (
        <Quiet>{t.noProgramme}</Quiet>
      ) : (
        <Loaded reading={reading} skeleton={<Quiet>{t.loading}</Quiet>}>
          {(programme) => <Slots programme={programme} />}
        </Loaded>
      )}
    </Panel>
  );
}

function Slots({ programme }: { programme: Programme }) {
  const { t, dateTime, time, number } = useText();
  const slots = programme.slots.filter((slot) => slot.status !== "gone");
  if (slots.length === 0) return <Quiet>{t.noProgramme}</Quiet>;
  const rooms = new Map(programme.rooms.map((room) => [room.roomId, room]));
  return (
    <Scrolling label={t.programme}>
      <Table size="small" sx={{ minWidth: 640 }}>
        <TableHead>
          <TableRow>
            <TableCell>{t.time}</TableCell>
            <TableCell>{t.slot}</TableCell>
            <TableCell>{t.room}</TableCell>
            <TableCell align="right">{t.attended}</TableCell>
          </TableRow>
        </TableHead>
        <TableBody>
          {slots.map((slot) => {
            const room = slot.roomId ? rooms.get(slot.roomId) : undefined;
            return (
              <TableRow key={slot.slotId}>
                <TableCell sx={{ whiteSpace: "nowrap" }}>
                  {dateTime(slot.beginsAt)} – {time(slot.endsAt)}
                </TableCell>
                <TableCell component="th" scope="row">
                  {slot.url ? (
                    <MuiLink href={slot.url} rel="noreferrer" target="_blank">
                      {slot.title}
                    </MuiLink>
                  ) : (
                    slot.title
                  )}
                  {slot.status === "cancelled" && (
                    <Box component="span" sx={{ ml: 1 }}>
                      <StateChip tone="bad">{t.cancelled}</StateChip>
                    </Box>
                  )}
                </TableCell>
                <TableCell>
                  {room?.name ?? "–"}
                  {room?.capacity !== undefined && <Under>{t.people(number(room.capacity))}</Under>}
                </TableCell>
                <TableCell align="right">
                  {slot.attended === undefined ? "–" : number(slot.attended)}
                  {slot.fill !== undefined && <Share share={slot.fill} label={t.attended} />}
                </TableCell>
              </TableRow>
            );
          })}
        </TableBody>
      </Table>
    </Scrolling>
  );
}
