// Chooses the language, remembers the choice, and writes figures and times as its speakers do.
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from "react";

import type { Wording } from "../api/types";
import { en, type Text } from "./en";
import { ko } from "./ko";
import enWords from "./wording.en.json";
import koWords from "./wording.ko.json";

export type Language = "en" | "ko";
const TABLES: Record<Language, Text> = { en, ko };
/** What the platform says by code; see `PHRASES` in the contracts, whose tests read these. */
const WORDS: Record<Language, Record<string, string>> = { en: enWords, ko: koWords };
const NAME = "ieum.language";

export interface Speaking {
  t: Text;
  language: Language;
  setLanguage: (language: Language) => void;
  number: (value: number) => string;
  /** With a tenth, where that says anything. */
  decimal: (value: number) => string;
  /** As it was measured, to three places. */
  figure: (value: number) => string;
  percent: (share: number) => string;
  /** Hours and minutes, of another day with the date. */
  time: (at: string | number | Date) => string;
  dateTime: (at: string | number | Date) => string;
  date: (at: string | number | Date) => string;
  /** A day without its year. */
  day: (at: string | number | Date) => string;
  span: (seconds: number) => string;
  ago: (at: string) => string;
  /** Tells whether the dictionary has what the platform says. */
  knows: (wording: Wording | undefined) => boolean;
  /** What the platform says, in the visitor's language; its own sentence where the dictionary does not have it. */
  words: (wording: Wording | undefined, sentence: string) => string;
}

const Context = createContext<Speaking | undefined>(undefined);

/** What the visitor chose before, else what the browser prefers. */
function preferred(): Language {
  try {
    const chosen = localStorage.getItem(NAME);
    if (chosen === "ko" || chosen === "en") return chosen;
  } catch {
    // The browser's preference is left.
  }
  const wished = navigator.languages.find((tag) => /^(ko|en)\b/i.test(tag));
  return wished?.toLowerCase().startsWith("ko") ? "ko" : "en";
}

function speaking(language: Language, setLanguage: (language: Language) => void): Speaking {
  const t = TABLES[language];
  const locale = language === "ko" ? "ko-KR" : "en-GB";
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const tenths = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const figures = new Intl.NumberFormat(locale, { maximumFractionDigits: 3 });
  const share = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
  const time = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const both = new Intl.DateTimeFormat(locale, {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const date = new Intl.DateTimeFormat(locale, { year: "numeric", month: "short", day: "numeric" });
  const day = new Intl.DateTimeFormat(locale, { month: "short", day: "numeric" });
  const span = (seconds: number) => {
    const s = Math.max(0, Math.round(seconds));
    if (s < 120) return t.seconds(s);
    if (s < 7_200) return t.minutes(Math.round(s / 60));
    return s < 172_800 ? t.hours(Math.round(s / 3_600)) : t.days(Math.round(s / 86_400));
  };
  const filled = (name: string, value: number | string | undefined) => {
    if (typeof value === "number") return whole.format(value);
    return name === "since" && value ? both.format(new Date(value)) : (value ?? "");
  };
  const words = (wording: Wording | undefined, sentence: string) => {
    const pattern = wording && WORDS[language][wording.code];
    return pattern ? pattern.replace(/\{(\w+)\}/g, (_, name: string) => filled(name, wording.values?.[name])) : sentence;
  };
  const isToday = (at: Date) => at.toDateString() === new Date().toDateString();
  return {
    t,
    language,
    setLanguage,
    span,
    number: (value) => whole.format(value),
    decimal: (value) => (Math.abs(value) < 100 ? tenths : whole).format(value),
    figure: (value) => figures.format(value),
    percent: (value) => share.format(value),
    time: (at) => (isToday(new Date(at)) ? time : both).format(new Date(at)),
    dateTime: (at) => both.format(new Date(at)),
    date: (at) => date.format(new Date(at)),
    day: (at) => day.format(new Date(at)),
    knows: (wording) => wording !== undefined && wording.code in WORDS[language],
    words,
    ago: (at) => t.ago(span((Date.now() - new Date(at).getTime()) / 1_000)),
  };
}

export function TextProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState(preferred);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const value = useMemo(() => {
    const choose = (next: Language) => {
      setLanguage(next);
      try {
        localStorage.setItem(NAME, next);
      } catch {
        // The choice then lasts as long as the page.
      }
    };
    return speaking(language, choose);
  }, [language]);
  return <Context value={value}>{children}</Context>;
}

export function useText(): Speaking {
  const value = useContext(Context);
  if (!value) throw new Error("useText is called outside TextProvider");
  return value;
}
