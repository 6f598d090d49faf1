// Fetches the chart library where a chart is shown first; its place is kept meanwhile.
import Skeleton from "@mui/material/Skeleton";
import { lazy, Suspense, type ComponentProps } from "react";

import type { CompareChart as Compared, GroupChart as Groups, StackChart as Stacks, TimeChart as Times } from "./charts";

const LazyTimes = lazy(async () => ({ default: (await import("./charts")).TimeChart }));
const LazyGroups = lazy(async () => ({ default: (await import("./charts")).GroupChart }));
const LazyCompared = lazy(async () => ({ default: (await import("./charts")).CompareChart }));
const LazyStacks = lazy(async () => ({ default: (await import("./charts")).StackChart }));

/** The height of the button below a chart. */
export const BELOW = 31;

export function TimeChart(props: ComponentProps<typeof Times>) {
  return (
    <Suspense fallback={<Skeleton variant="rounded" height={props.height + BELOW} />}>
      <LazyTimes {...props} />
    </Suspense>
  );
}

export function GroupChart(props: ComponentProps<typeof Groups>) {
  return (
    <Suspense fallback={<Skeleton variant="rounded" height={props.height + BELOW} />}>
      <LazyGroups {...props} />
    </Suspense>
  );
}

export function CompareChart(props: ComponentProps<typeof Compared>) {
  return (
    <Suspense fallback={<Skeleton variant="rounded" height={props.height + BELOW} />}>
      <LazyCompared {...props} />
    </Suspense>
  );
}

export function StackChart(props: ComponentProps<typeof Stacks>) {
  return (
    <Suspense fallback={<Skeleton variant="rounded" height={props.height + BELOW} />}>
      <LazyStacks {...props} />
    </Suspense>
  );
}
