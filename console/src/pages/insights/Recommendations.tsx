// What to do, each with the rows that say so.
import Accordion from "@mui/material/Accordion";
import AccordionDetails from "@mui/material/AccordionDetails";
import AccordionSummary from "@mui/material/AccordionSummary";
import Box from "@mui/material/Box";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import Typography from "@mui/material/Typography";
import { ChevronDown } from "lucide-react";

import type { Recommendation } from "../../api/types";
import { Code, Scrolling, StateChip } from "../../parts/bits";
import { Quiet } from "../../parts/states";
import { useText } from "../../text";

const TONE = { info: "info", warning: "warning", critical: "bad" } as const;

export function Recommendations({ list }: { list: Recommendation[] }) {
  const { t } = useText();
  if (list.length === 0) return <Quiet>{t.noRecommendations}</Quiet>;
  return (
    <Box sx={{ borderTop: 1, borderColor: "divider" }}>
      {list.map((one, i) => (
        <One key={`${one.kind}-${one.eventId ?? ""}-${i}`} one={one} />
      ))}
    </Box>
  );
}

function One({ one }: { one: Recommendation }) {
  const { t, language, decimal, percent, dateTime } = useText();
  const figure = (value: number, unit: string) => (unit === "share" ? percent(value) : `${decimal(value)} ${unit === "people" ? "" : unit}`);
  return (
    <Accordion disableGutters square elevation={0} slotProps={{ transition: { unmountOnExit: true } }} sx={{ "&::before": { display: "none" }, borderBottom: 1, borderColor: "divider", "&:last-of-type": { borderBottom: 0 } }}>
      <AccordionSummary expandIcon={<ChevronDown size={18} aria-hidden />} sx={{ px: 2.5 }}>
        <Box sx={{ display: "flex", gap: 1.5, alignItems: "center", flexWrap: "wrap" }}>
          <StateChip tone={TONE[one.severity]}>{t.severity[one.severity]}</StateChip>
          <Typography component="span" sx={{ flex: "1 1 240px" }}>
            {language === "ko" ? one.messageKorean : one.message}
          </Typography>
        </Box>
      </AccordionSummary>
      <AccordionDetails sx={{ px: 2.5 }}>
        <Typography variant="body2" sx={{ color: "text.secondary", mb: 1 }}>
          {t.rule}: <Code>{one.rule}</Code>
        </Typography>
        <Scrolling label={t.evidence}>
          <Table size="small">
            <TableHead>
              <TableRow>
                <TableCell>{t.source}</TableCell>
                <TableCell>{t.row}</TableCell>
                <TableCell align="right">{t.value}</TableCell>
                <TableCell>{t.time}</TableCell>
              </TableRow>
            </TableHead>
            <TableBody>
              {one.evidence.map((row, i) => (
                <TableRow key={`${row.source}-${row.row}-${i}`}>
                  <TableCell>
                    <Code>{row.source}</Code>
                  </TableCell>
                  <TableCell>{row.row}</TableCell>
                  <TableCell align="right">{figure(row.value, row.unit)}</TableCell>
                  <TableCell>{row.at ? dateTime(row.at) : "–"}</TableCell>
                </TableRow>
              ))}
            </TableBody>
          </Table>
        </Scrolling>
      </AccordionDetails>
    </Accordion>
  );
}
