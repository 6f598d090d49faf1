// Chooses the language, remembers the choice, and writes figures and times as its speakers do.
import { createContext, useContext, useEffect, useMemo, useState, type ReactNode } from "react";

import { en, type Text } from "./en";
import { ko } from "./ko";

export type Language = "en" | "ko";
const TABLES: Record<Language, Text> = { en, ko };
const NAME = "ieum.language";

export interface Speaking {
  t: Text;
  language: Language;
  setLanguage: (language: Language) => void;
  number: (value: number) => string;
  /** With a tenth, where that says anything. */
  decimal: (value: number) => string;
  percent: (share: number) => string;
  /** Hours and minutes, of another day with the date. */
  time: (at: string | number | Date) => string;
  dateTime: (at: string | number | Date) => string;
  date: (at: string | number | Date) => string;
  span: (seconds: number) => string;
  ago: (at: string) => string;
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
  const span = (seconds: number) => {
    const s = Math.max(0, Math.round(seconds));
    if (s < 120) return t.seconds(s);
    if (s < 7_200) return t.minutes(Math.round(s / 60));
    return s < 172_800 ? t.hours(Math.round(s / 3_600)) : t.days(Math.round(s / 86_400));
  };
  const isToday = (at: Date) => at.toDateString() === new Date().toDateString();
  return {
    t,
    language,
    setLanguage,
    span,
    number: (value) => whole.format(value),
    decimal: (value) => (Math.abs(value) < 100 ? tenths : whole).format(value),
    percent: (value) => share.format(value),
    time: (at) => (isToday(new Date(at)) ? time : both).format(new Date(at)),
    dateTime: (at) => both.format(new Date(at)),
    date: (at) => date.format(new Date(at)),
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
