// An event's gates: counted from scans where there are any, else as the source tells of them.
import Box from "@mui/material/Box";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";

import type { EventInsights, GatesNow, LiveEvent } from "../../api/types";
import { Scrolling, StateChip, Under } from "../../parts/bits";
import { Panel } from "../../parts/Page";
import { Quiet, type Reading } from "../../parts/states";
import { useText } from "../../text";

interface GatesProps {
  event: LiveEvent | undefined;
  insights: Reading<EventInsights>;
  counted: GatesNow | undefined;
}

export function Gates({ event, insights, counted }: GatesProps) {
  const { t, decimal, number, percent } = useText();
  const gates = event?.metrics.gateActivity ?? [];
  const past = insights.data?.performanceMetrics.gates ?? [];
  const most = Math.max(...gates.map((gate) => gate.throughput), 1);
  // Counted from scans, where there are any; else what the source tells of its gates.
  if (counted?.gates.some((gate) => gate.entered > 0)) return <Counted gates={counted.gates} />;
  return (
    <Panel title={t.gates}>
      {!event ? (
        <Quiet>{t.loading}</Quiet>
      ) : gates.length === 0 ? (
        <Quiet>{t.noGates}</Quiet>
      ) : (
        <Scrolling label={t.gates}>
          <Table size="small">
            <TableHead>
              <TableRow>
                <TableCell>{t.gate}</TableCell>
                <TableCell>{t.state}</TableCell>
                <TableCell>{t.throughput}</TableCell>
                {past.length > 0 && <TableCell align="right">{t.peopleThrough}</TableCell>}
                {past.length > 0 && <TableCell align="right">{t.shareOfGates}</TableCell>}
                {past.length > 0 && <TableCell align="right">{t.mostPerHour}</TableCell>}
              </TableRow>
            </TableHead>
            <TableBody>
              {gates.map((gate) => {
                const flow = past.find((one) => one.gateId === gate.gateId);
                return (
                  <TableRow key={gate.gateId}>
                    <TableCell component="th" scope="row" sx={{ fontWeight: 600 }}>
                      {gate.gateId}
                    </TableCell>
                    <TableCell>
                      <StateChip tone={gate.status === "open" ? "good" : "quiet"}>{t.gateState[gate.status] ?? gate.status}</StateChip>
                    </TableCell>
                    <TableCell>
                      <Box sx={{ display: "flex", alignItems: "center", gap: 1.25 }}>
                        <Box sx={{ minWidth: 44, textAlign: "right", whiteSpace: "nowrap" }}>{decimal(gate.throughput)}</Box>
                        <Box aria-hidden sx={{ width: 64, height: 6, borderRadius: "12px", bgcolor: "divider", overflow: "hidden" }}>
                          <Box
                            sx={{ width: "100%", height: "100%", bgcolor: "primary.main", transformOrigin: "left" }}
                            style={{ transform: `scaleX(${gate.throughput / most})` }}
                          />
                        </Box>
                      </Box>
                    </TableCell>
                    {past.length > 0 && <TableCell align="right">{flow ? number(flow.people) : "–"}</TableCell>}
                    {past.length > 0 && <TableCell align="right">{flow ? percent(flow.share) : "–"}</TableCell>}
                    {past.length > 0 && <TableCell align="right">{flow ? number(flow.mostPerHour) : "–"}</TableCell>}
                  </TableRow>
                );
              })}
            </TableBody>
          </Table>
        </Scrolling>
      )}
    </Panel>
  );
}

function Counted({ gates }: { gates: GatesNow["gates"] }) {
  const { t, decimal, number, ago } = useText();
  return (
    <Panel title={t.gates}>
      <Scrolling label={t.gates}>
        <Table size="small">
          <TableHead>
            <TableRow>
              <TableCell>{t.gate}</TableCell>
              <TableCell>{t.state}</TableCell>
              <TableCell align="right">{t.inPerMinute}</TableCell>
              <TableCell align="right">{t.outPerMinute}</TableCell>
              <TableCell align="right">{t.entered}</TableCell>
              <TableCell align="right">{t.left}</TableCell>
            </TableRow>
          </TableHead>
          <TableBody>
            {gates.map((gate) => (
              <TableRow key={gate.gateId}>
                <TableCell component="th" scope="row" sx={{ fontWeight: 600 }}>
                  {gate.gateId}
                  {gate.lastScanAt && (
                    <Under>
                      {t.lastScan}: {ago(gate.lastScanAt)}
                    </Under>
                  )}
                </TableCell>
                <TableCell>
                  <StateChip tone={gate.status === "open" ? "good" : "quiet"}>{t.gateState[gate.status] ?? gate.status}</StateChip>
                </TableCell>
                <TableCell align="right">{decimal(gate.inPerMinute)}</TableCell>
                <TableCell align="right">{decimal(gate.outPerMinute)}</TableCell>
                <TableCell align="right">{number(gate.entered)}</TableCell>
                <TableCell align="right">{number(gate.left)}</TableCell>
              </TableRow>
            ))}
          </TableBody>
        </Table>
      </Scrolling>
    </Panel>
  );
}
