// Charts over time and over groups. Each can be read as a table, and keeps its height while it loads or moves.
import { useColorScheme } from "@mui/material/styles";
import useMediaQuery from "@mui/material/useMediaQuery";
import { BarChart } from "@mui/x-charts/BarChart";
import { LineChart } from "@mui/x-charts/LineChart";

import { SERIES } from "../theme";
import { useText } from "../text";
import { Framed } from "./framed";

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

interface CompareChartProps {
  label: string;
  groups: string[];
  series: { name: string; values: number[] }[];
  /** Further columns of the table. */
  more?: { name: string; values: string[] };
  height: number;
}

/** Groups side by side, each with the same few figures. */
export function CompareChart({ label, groups, series, more, height }: CompareChartProps) {
  const { t, number } = useText();
  const colours = useColours();
  const head = [t.event, ...series.map((one) => one.name), ...(more ? [more.name] : [])];
  const rows = groups.map((group, i) => [group, ...series.map((one) => number(one.values[i] ?? 0)), ...(more ? [more.values[i] ?? "–"] : [])]);
  const longest = Math.max(...groups.map((group) => group.length), 4);
  return (
    <Framed label={label} head={head} rows={rows} height={height}>
      <BarChart
        layout="horizontal"
        series={series.map((one, i) => ({
          data: one.values,
          label: one.name,
          color: colours[i % colours.length],
          valueFormatter: (value) => number(value ?? 0),
        }))}
        xAxis={[{ min: 0, tickNumber: 4, disableLine: true, disableTicks: true, valueFormatter: (value: number) => number(value) }]}
        yAxis={[
          {
            scaleType: "band",
            // Two events may bear one name; a band is told by its place.
            data: groups.map((_, i) => i),
            valueFormatter: (i: number) => groups[i] ?? "",
            categoryGapRatio: 0.35,
            barGapRatio: 0.1,
            width: Math.min(180, 22 + longest * 9),
            disableTicks: true,
            disableLine: true,
          },
        ]}
        grid={{ vertical: true }}
        borderRadius={3}
        margin={{ ...MARGIN, right: 32 }}
        skipAnimation
        slotProps={{ legend: { position: { vertical: "top", horizontal: "start" } } }}
        sx={SX}
      />
    </Framed>
  );
}

/** More bars than these are too thin for a line around their pieces. */
const MOST_LINED = 14;
/** How many words fit below the bars, in a narrow window and in others. */
const FITTING = { narrow: 3, wide: 10 };

interface StackChartProps {
  label: string;
  /** The names of the groups in words, and short for the axis; `heading` says what they are. */
  heading: string;
  groups: string[];
  ticks: string[];
  /** What adds up, the lowest first; `colour` is its place among the colours. */
  series: { name: string; values: number[]; colour: number }[];
  height: number;
}

/** Groups in a row, each a bar of pieces that add up. */
export function StackChart({ label, heading, groups, ticks, series, height }: StackChartProps) {
  const { t, number } = useText();
  const colours = useColours();
  const isNarrow = useMediaQuery("(max-width: 600px)");
  // At even distances, the last one always.
  const every = Math.ceil(groups.length / (isNarrow ? FITTING.narrow : FITTING.wide));
  const sum = (i: number) => series.reduce((whole, one) => whole + (one.values[i] ?? 0), 0);
  const head = [heading, ...series.map((one) => one.name), t.total];
  const rows = groups.map((group, i) => [group, ...series.map((one) => number(one.values[i] ?? 0)), number(sum(i))]);
  return (
    <Framed label={label} head={head} rows={rows} height={height}>
      <BarChart
        series={series.map((one) => ({
          data: one.values,
          label: one.name,
          stack: "all",
          color: colours[one.colour % colours.length],
          valueFormatter: (value) => number(value ?? 0),
        }))}
        xAxis={[
          {
            scaleType: "band",
            data: groups.map((_, i) => i),
            valueFormatter: (i: number, context) => (context.location === "tick" ? ticks : groups)[i] ?? "",
            categoryGapRatio: 0.35,
            tickLabelInterval: (_: number, i: number) => (groups.length - 1 - i) % every === 0,
            disableTicks: true,
            disableLine: true,
          },
        ]}
        yAxis={[{ width: 52, min: 0, tickNumber: 4, tickMinStep: 1, disableLine: true, disableTicks: true, valueFormatter: (value: number) => number(value) }]}
        grid={{ horizontal: true }}
        borderRadius={3}
        // Half of the last day's words stand beyond its bar.
        margin={{ ...MARGIN, right: 28 }}
        skipAnimation
        slotProps={{ legend: { position: { vertical: "top", horizontal: "start" } }, tooltip: { trigger: "axis" } }}
        sx={{
          ...SX,
          // Pieces are told apart without their colours too.
          ...(groups.length <= MOST_LINED && { "& .MuiBarChart-element": { stroke: "var(--mui-palette-background-paper)", strokeWidth: 1.5 } }),
        }}
      />
    </Framed>
  );
}
