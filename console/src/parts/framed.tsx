// A chart with the same as a table behind a button. It keeps its height either way.
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import { ChartColumn, Table2 } from "lucide-react";
import { useState, type ReactNode } from "react";

import { useText } from "../text";

/** More rows than this say nothing to who reads them one by one. */
const MOST_ROWS = 60;

interface FramedProps {
  /** What the chart shows, for who does not see it. */
  label: string;
  head: string[];
  rows: string[][];
  height: number;
  /** The cells hold words, not figures. */
  isText?: boolean;
  children: ReactNode;
}

/** A chart with its table behind a button. */
export function Framed({ label, head, rows, height, isText, children }: FramedProps) {
  const { t } = useText();
  const [asTable, setAsTable] = useState(false);
  const align = (column: number) => (column === 0 || isText ? "left" : "right");
  const step = Math.ceil(rows.length / MOST_ROWS);
  // The last row is always among them: it is what is now.
  const shown = rows.filter((_, i) => (rows.length - 1 - i) % step === 0);
  return (
    <Box component="figure" aria-label={label} sx={{ m: 0 }}>
      <Box sx={{ height }}>
        {asTable ? (
          <TableContainer tabIndex={0} role="region" aria-label={label} sx={{ height: "100%" }}>
            <Table size="small" stickyHeader>
              <TableHead>
                <TableRow>
                  {head.map((name, i) => (
                    <TableCell key={name} align={align(i)}>
                      {name}
                    </TableCell>
                  ))}
                </TableRow>
              </TableHead>
              <TableBody>
                {shown.map((row, place) => (
                  <TableRow key={`${place} ${row[0]}`}>
                    {row.map((cell, i) => (
                      <TableCell key={head[i]} component={i === 0 ? "th" : "td"} align={align(i)}>
                        {cell}
                      </TableCell>
                    ))}
                  </TableRow>
                ))}
              </TableBody>
            </Table>
          </TableContainer>
        ) : (
          children
        )}
      </Box>
      <Box sx={{ display: "flex", justifyContent: "flex-end" }}>
        <Button
          size="small"
          color="secondary"
          aria-pressed={asTable}
          startIcon={asTable ? <ChartColumn size={15} aria-hidden /> : <Table2 size={15} aria-hidden />}
          onClick={() => setAsTable(!asTable)}
        >
          {asTable ? t.asChart : t.asTable}
        </Button>
      </Box>
    </Box>
  );
}
