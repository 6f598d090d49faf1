// What stands where something is loading, is empty, or failed: never nothing, and always what to do.
import Alert from "@mui/material/Alert";
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Skeleton from "@mui/material/Skeleton";
import Typography from "@mui/material/Typography";
import { Inbox, type LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import useSWR from "swr";

import { AWAY, Problem } from "../api/client";
import { useText } from "../text";
import type { Text } from "../text/en";
import { Prose } from "./bits";

/** Something that is read and renewed. */
export interface Reading<T> {
  data?: T;
  error?: Problem;
  isLoading: boolean;
  isAbsent: boolean;
  renew: () => Promise<unknown>;
}

/** Reads `path` now and again every `seconds` while somebody looks. `null` reads nothing. */
export function useReading<T>(path: string | null, seconds = 15): Reading<T> {
  const { data, error, isLoading, mutate } = useSWR<T, Problem>(path, {
    refreshInterval: seconds * 1_000,
    // What is not there does not appear by asking quickly.
    shouldRetryOnError: (problem: Problem) => problem.status === AWAY || problem.status >= 500 || problem.status === 429,
    onErrorRetry: (problem, _key, _config, again, { retryCount }) => {
      const pause = problem.retryAfterSeconds ?? Math.min(2 ** retryCount, 15);
      setTimeout(() => void again({ retryCount: retryCount + 1 }), pause * 1_000);
    },
  });
  return { data, error, isLoading, isAbsent: error?.status === 404 && !data, renew: () => mutate() };
}

/** Says in a sentence what went wrong and what to do. */
export function sentence(t: Text, problem: Problem): string {
  const { status, code, detail } = problem;
  if (status === AWAY) return t.problemAway;
  if (status === 401) return t.problemKey;
  if (status === 403) return t.problemScope(detail);
  if (status === 429) return t.problemMany(problem.retryAfterSeconds ?? 5);
  if (status === 501) return t.problemAbsent;
  if (status === 404 && code === "not_found") return t.problemGone;
  return status >= 500 ? t.problemServer(detail) : t.problemOther(detail);
}

export function ProblemNotice({ problem, onAgain }: { problem: Problem; onAgain?: () => void }) {
  const { t } = useText();
  return (
    <Alert
      severity={problem.status === 501 ? "info" : "error"}
      variant="outlined"
      action={
        onAgain && (
          <Button color="inherit" size="small" onClick={onAgain}>
            {t.again}
          </Button>
        )
      }
    >
      <Prose>{sentence(t, problem)}</Prose>
    </Alert>
  );
}

interface EmptyProps {
  title: string;
  sentence?: string;
  icon?: LucideIcon;
  action?: ReactNode;
}

export function Empty({ title, sentence: more, icon: Icon = Inbox, action }: EmptyProps) {
  return (
    <Box sx={{ py: 7, px: 3, textAlign: "center", color: "text.secondary" }}>
      <Icon size={34} strokeWidth={1.4} aria-hidden />
      <Typography variant="h2" component="p" sx={{ mt: 1.5, color: "text.primary" }}>
        {title}
      </Typography>
      {more && <Typography sx={{ mt: 0.5, maxWidth: 460, mx: "auto" }}><Prose>{more}</Prose></Typography>}
      {action && <Box sx={{ mt: 2.5 }}>{action}</Box>}
    </Box>
  );
}

/** A sentence in place of a chart or table. */
export function Quiet({ children, height }: { children: ReactNode; height?: number }) {
  return (
    <Box sx={{ display: "grid", placeItems: "center", minHeight: height ?? 88, px: 2 }}>
      <Typography sx={{ color: "text.secondary", textAlign: "center", maxWidth: 520 }}>{children}</Typography>
    </Box>
  );
}

export function Lines({ rows = 5, height = 44 }: { rows?: number; height?: number }) {
  const { t } = useText();
  return (
    <Box role="status" aria-label={t.loading} sx={{ p: 2 }}>
      {Array.from({ length: rows }, (_, i) => (
        <Skeleton key={i} variant="rounded" height={height - 14} sx={{ mb: "14px" }} />
      ))}
    </Box>
  );
}

export function PageSkeleton() {
  const { t } = useText();
  return (
    <Box role="status" aria-label={t.loading} sx={{ minHeight: "80vh" }}>
      <Skeleton variant="text" width={180} height={36} />
      <Skeleton variant="text" width={340} />
    </Box>
  );
}

interface LoadedProps<T> {
  reading: Reading<T>;
  skeleton?: ReactNode;
  children: (data: T) => ReactNode;
}

/** Shows what was read; while it is on its way a skeleton, and where it failed why. */
export function Loaded<T>({ reading, skeleton = <Lines />, children }: LoadedProps<T>) {
  if (reading.data !== undefined) return <>{children(reading.data)}</>;
  if (reading.error) {
    return (
      <Box sx={{ p: 2 }}>
        <ProblemNotice problem={reading.error} onAgain={() => void reading.renew()} />
      </Box>
    );
  }
  return <>{skeleton}</>;
}
