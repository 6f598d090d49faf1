// Charts over time and over groups. Each can be read as a table, and keeps its height while it loads or moves.
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Table from "@mui/material/Table";
import TableBody from "@mui/material/TableBody";
import TableCell from "@mui/material/TableCell";
import TableContainer from "@mui/material/TableContainer";
import TableHead from "@mui/material/TableHead";
import TableRow from "@mui/material/TableRow";
import { useColorScheme } from "@mui/material/styles";
import useMediaQuery from "@mui/material/useMediaQuery";
import { BarChart } from "@mui/x-charts/BarChart";
import { LineChart } from "@mui/x-charts/LineChart";
import { ChartColumn, Table2 } from "lucide-react";
import { useState, type ReactNode } from "react";

import { SERIES } from "../theme";
import { useText } from "../text";

/** More rows than this say nothing to who reads them one by one. */
const MOST_ROWS = 60;

interface FramedProps {
  /** What the chart shows, for who does not see it. */
  label: string;
  head: string[];
  rows: string[][];
  height: number;
  children: ReactNode;
}

/** A chart with its table behind a button. */
function Framed({ label, head, rows, height, children }: FramedProps) {
  const { t } = useText();
  const [asTable, setAsTable] = useState(false);
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
                    <TableCell key={name} align={i === 0 ? "left" : "right"}>
                      {name}
                    </TableCell>
                  ))}
                </TableRow>
              </TableHead>
              <TableBody>
                {shown.map((row) => (
                  <TableRow key={row[0]}>
                    {row.map((cell, i) => (
                      <TableCell key={head[i]} component={i === 0 ? "th" : "td"} align={i === 0 ? "left" : "right"}>
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

function useColours(): string[] {
  const { mode, systemMode } = useColorScheme();
  return SERIES[(mode === "system" ? systemMode : mode) === "dark" ? "dark" : "light"];
}

const SX = {
  "& .MuiChartsAxis-line, & .MuiChartsAxis-tick": { stroke: "var(--mui-palette-divider) !important" },
  "& .MuiChartsAxis-tickLabel": { fill: "var(--mui-palette-text-secondary) !important" },
  "& .MuiChartsGrid-line": { stroke: "var(--mui-palette-divider) !important" },
};

const MARGIN = { top: 12, right: 16, bottom: 4, left: 4 };

export interface Series {
  name: string;
  values: (number | null)[];
  isArea?: boolean;
  isDashed?: boolean;
}

interface TimeChartProps {
  label: string;
  times: Date[];
  series: Series[];
  /** The range within which the first series is expected. */
  band?: { lower: number[]; upper: number[] };
  /** Writes a time below the chart. */
  tick?: (at: Date) => string;
  height: number;
}

export function TimeChart({ label, times, series, band, tick, height }: TimeChartProps) {
  const { t, number, time, dateTime } = useText();
  const colours = useColours();
  const still = useMediaQuery("(prefers-reduced-motion: reduce)");
  const figure = (value: number | null) => (value === null ? "–" : number(value));
  const rows = times.map((at, i) => [
    dateTime(at),
    ...series.map((one) => figure(one.values[i] ?? null)),
    ...(band ? [`${number(band.lower[i] ?? 0)} – ${number(band.upper[i] ?? 0)}`] : []),
  ]);
  const head = [t.time, ...series.map((one) => one.name), ...(band ? [t.expectedRange] : [])];
  const lines = series.map((one, i) => ({
    id: `line-${i}`,
    label: one.name,
    data: one.values,
    color: colours[i % colours.length],
    area: one.isArea,
    showMark: false,
    curve: "linear" as const,
    valueFormatter: figure,
  }));
  const dashed = lines.filter((_, i) => series[i]?.isDashed).map(({ id }) => `& [data-series='${id}'][class*='Line']`);
  const range = band
    ? [
        { id: "band-floor", data: band.lower, stack: "band", color: "transparent", valueFormatter: () => null },
        {
          id: "band",
          label: t.expectedRange,
          data: band.upper.map((upper, i) => upper - (band.lower[i] ?? 0)),
          stack: "band",
          color: colours[0],
          area: true,
          valueFormatter: (_: number | null, { dataIndex: i }: { dataIndex: number }) =>
            `${number(band.lower[i] ?? 0)} – ${number(band.upper[i] ?? 0)}`,
        },
      ].map((one) => ({ ...one, showMark: false, disableHighlight: true, curve: "linear" as const }))
    : [];
  return (
    <Framed label={label} head={head} rows={rows} height={height}>
      <LineChart
        series={[...range, ...lines]}
        xAxis={[
          {
            data: times,
            scaleType: "time",
            valueFormatter: (at: Date, context) => (context.location === "tick" ? (tick ?? time)(at) : dateTime(at)),
            tickLabelMinGap: 12,
            tickMinStep: 60_000,
          },
        ]}
        yAxis={[{ width: 52, min: 0, valueFormatter: number, tickNumber: 4, disableLine: true, disableTicks: true }]}
        grid={{ horizontal: true }}
        margin={MARGIN}
        skipAnimation={still || times.length > 0}
        hideLegend={series.length + (band ? 1 : 0) < 2}
        slotProps={{ legend: { position: { vertical: "top", horizontal: "start" } } }}
        sx={{
          ...SX,
          "& .MuiLineElement-root, & .MuiLineChart-line": { strokeWidth: 2 },
          "& .MuiAreaElement-root, & .MuiLineChart-area": { opacity: 0.14 },
          "& [data-series='band'].MuiLineElement-root, & [data-series='band'].MuiLineChart-line": { strokeWidth: 0 },
          ...(dashed.length > 0 && { [dashed.join(",")]: { strokeDasharray: "5 4" } }),
        }}
      />
    </Framed>
  );
}

interface GroupChartProps {
  label: string;
  groups: string[];
  name: string;
  values: number[];
  /** Draws the bars sideways: for long names. */
  isSideways?: boolean;
  height: number;
}

export function GroupChart({ label, groups, name, values, isSideways, height }: GroupChartProps) {
  const { decimal, number } = useText();
  const colours = useColours();
  const rows = groups.map((group, i) => [group, decimal(values[i] ?? 0)]);
  const longest = Math.max(...groups.map((group) => group.length), 4);
  const band = { scaleType: "band" as const, data: groups, categoryGapRatio: groups.length < 4 ? 0.8 - groups.length * 0.1 : 0.35, disableTicks: true, disableLine: true };
  const amount = { min: 0, tickNumber: 4, disableLine: true, disableTicks: true, valueFormatter: (value: number) => number(value) };
  return (
    <Framed label={label} head={["", name]} rows={rows} height={height}>
      <BarChart
        layout={isSideways ? "horizontal" : "vertical"}
        series={[{ data: values, label: name, color: colours[0], valueFormatter: (value) => decimal(value ?? 0) }]}
        xAxis={isSideways ? [amount] : [{ ...band, tickLabelMinGap: 2 }]}
        yAxis={isSideways ? [{ ...band, width: Math.min(200, 22 + longest * 8) }] : [{ ...amount, width: 52 }]}
        grid={isSideways ? { vertical: true } : { horizontal: true }}
        borderRadius={4}
        margin={isSideways ? { ...MARGIN, right: 32 } : MARGIN}
        skipAnimation
        hideLegend
        sx={SX}
      />
    </Framed>
  );
}
