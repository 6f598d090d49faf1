// The pages of the list, and of which part of the platform each tells.
import {
  CalendarDays,
  ChartColumn,
  Handshake,
  HeartPulse,
  MailX,
  MessagesSquare,
  Plug,
  Webhook as WebhookIcon,
  type LucideIcon,
} from "lucide-react";

import { FIRST_PAGE, isAnswered } from "../api/answered";

export type Name = "events" | "insights" | "voice" | "sources" | "partners" | "webhooks" | "deadLetters" | "system";
export type Group = "groupWatch" | "groupConnect" | "groupRun";

export interface Listed {
  path: string;
  name: Name;
  icon: LucideIcon;
  /** What is named after `ieum up` to run what answers the page; every process answers one without. */
  parts?: string;
}

const ALL: { group: Group; pages: Listed[] }[] = [
  {
    group: "groupWatch",
    pages: [
      { path: "/", name: "events", icon: CalendarDays, parts: "events" },
      { path: "/insights", name: "insights", icon: ChartColumn, parts: "events analytics" },
      { path: "/voice", name: "voice", icon: MessagesSquare, parts: "voice" },
    ],
  },
  {
    group: "groupConnect",
    pages: [
      { path: "/sources", name: "sources", icon: Plug, parts: "events" },
      { path: "/partners", name: "partners", icon: Handshake, parts: "events partners" },
      { path: "/webhooks", name: "webhooks", icon: WebhookIcon, parts: "events partners" },
    ],
  },
  {
    group: "groupRun",
    pages: [
      { path: "/dead-letters", name: "deadLetters", icon: MailX },
      { path: "/system", name: "system", icon: HeartPulse },
    ],
  },
];

/** The pages that something answers here, by group. */
export const LISTED = ALL.map(({ group, pages }) => ({ group, pages: pages.filter(({ path }) => isAnswered(path)) })).filter(
  ({ pages }) => pages.length > 0,
);

/** Returns the listed page of that name. */
export function listed(name: Name): Listed | undefined {
  return ALL.flatMap(({ pages }) => pages).find((page) => page.name === name);
}

/** The name of the page to open first. */
export const FIRST_NAME: Name = ALL.flatMap(({ pages }) => pages).find(({ path }) => path === FIRST_PAGE)?.name ?? "events";
