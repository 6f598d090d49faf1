// What stands around every page: the list of pages, language, appearance, connection.
import AppBar from "@mui/material/AppBar";
import Box from "@mui/material/Box";
import Drawer from "@mui/material/Drawer";
import IconButton from "@mui/material/IconButton";
import List from "@mui/material/List";
import ListItem from "@mui/material/ListItem";
import ListItemButton from "@mui/material/ListItemButton";
import ListItemIcon from "@mui/material/ListItemIcon";
import ListItemText from "@mui/material/ListItemText";
import Toolbar from "@mui/material/Toolbar";
import Typography from "@mui/material/Typography";
import useMediaQuery from "@mui/material/useMediaQuery";
import { useTheme } from "@mui/material/styles";
import { Activity, Menu as MenuIcon } from "lucide-react";
import { Suspense, useState, type ReactNode } from "react";
import { Link, useLocation } from "wouter";

import { useText } from "../text";
import type { Text } from "../text/en";
import { Announcer } from "./announce";
import { ConnectionChip, LostBanner } from "./Connection";
import { LanguageChoice, LookChoice, SignInButton } from "./choices";
import { Boundary } from "./Boundary";
import { LISTED } from "./pages";
import { PageSkeleton } from "./states";

const WIDTH = 232;

function isHere(path: string, location: string): boolean {
  return path === "/" ? location === "/" || location.startsWith("/events/") : location === path;
}

function Brand({ t }: { t: Text }) {
  return (
    <Box sx={{ display: "flex", alignItems: "center", gap: 1.25, px: 2.5, height: 64 }}>
      <Box
        aria-hidden
        sx={{
          width: 30,
          height: 30,
          borderRadius: "9px",
          display: "grid",
          placeItems: "center",
          bgcolor: "primary.main",
          color: "primary.contrastText",
        }}
      >
        <Activity size={18} strokeWidth={2.4} />
      </Box>
      <Typography component="span" sx={{ fontSize: "1.1rem", fontWeight: 720, letterSpacing: "-0.02em" }}>
        {t.product}
      </Typography>
    </Box>
  );
}

function Pages({ onChosen }: { onChosen: () => void }) {
  const { t } = useText();
  const [location] = useLocation();
  return (
    <Box component="nav" aria-label={t.navigation} sx={{ px: 1.5, pb: 2, overflowY: "auto" }}>
      {LISTED.map(({ group, pages }) => (
        <Box key={group} sx={{ mt: 1.5 }}>
          <Typography
            id={group}
            component="p"
            sx={{ px: 1.25, py: 0.5, fontSize: "0.72rem", fontWeight: 650, color: "text.secondary" }}
          >
            {t[group]}
          </Typography>
          <List disablePadding aria-labelledby={group}>
            {pages.map(({ path, name, icon: Icon }) => {
              const here = isHere(path, location);
              return (
                <ListItem key={path} disablePadding sx={{ my: 0.25 }}>
                  <ListItemButton
                    component={Link}
                    href={path}
                    selected={here}
                    aria-current={here ? "page" : undefined}
                    onClick={onChosen}
                    sx={{ borderRadius: "8px", py: 0.75, px: 1.25, "&.Mui-selected": { color: "primary.main" } }}
                  >
                    <ListItemIcon sx={{ minWidth: 34, color: "inherit" }}>
                      <Icon size={18} strokeWidth={here ? 2.3 : 1.9} aria-hidden />
                    </ListItemIcon>
                    <ListItemText
                      primary={t[name]}
                      slotProps={{ primary: { sx: { fontSize: "0.92rem", fontWeight: here ? 650 : 500 } } }}
                    />
                  </ListItemButton>
                </ListItem>
              );
            })}
          </List>
        </Box>
      ))}
    </Box>
  );
}

function SkipLink({ text }: { text: string }) {
  return (
    <Box
      component="a"
      href="#content"
      sx={{
        position: "fixed",
        top: -80,
        left: 12,
        zIndex: 2_000,
        px: 2,
        py: 1,
        borderRadius: "8px",
        bgcolor: "primary.main",
        color: "primary.contrastText",
        fontWeight: 650,
        "&:focus": { top: 12 },
      }}
    >
      {text}
    </Box>
  );
}

export function Shell({ children }: { children: ReactNode }) {
  const { t } = useText();
  const theme = useTheme();
  const wide = useMediaQuery(theme.breakpoints.up("md"), { noSsr: true });
  const [open, setOpen] = useState(false);
  const [location] = useLocation();
  const list = (
    <>
      <Brand t={t} />
      <Pages onChosen={() => setOpen(false)} />
    </>
  );
  return (
    <Announcer>
      <SkipLink text={t.skip} />
      <Box sx={{ display: "flex", minHeight: "100vh" }}>
        {wide ? (
          <Drawer variant="permanent" sx={{ width: WIDTH, flexShrink: 0, "& .MuiDrawer-paper": { width: WIDTH } }}>
            {list}
          </Drawer>
        ) : (
          <Drawer open={open} onClose={() => setOpen(false)} sx={{ "& .MuiDrawer-paper": { width: WIDTH } }}>
            {list}
          </Drawer>
        )}
        <Box sx={{ flexGrow: 1, minWidth: 0, display: "flex", flexDirection: "column" }}>
          <AppBar
            position="sticky"
            color="inherit"
            elevation={0}
            sx={{ bgcolor: "background.default", borderBottom: 1, borderColor: "divider", backgroundImage: "none" }}
          >
            <Toolbar sx={{ gap: 1, minHeight: "56px !important" }}>
              {!wide && (
                <IconButton edge="start" aria-label={t.openNavigation} onClick={() => setOpen(true)}>
                  <MenuIcon size={20} aria-hidden />
                </IconButton>
              )}
              <ConnectionChip />
              <Box sx={{ flexGrow: 1 }} />
              <SignInButton />
              <LanguageChoice />
              <LookChoice />
            </Toolbar>
          </AppBar>
          <LostBanner />
          <Box
            component="main"
            id="content"
            tabIndex={-1}
            sx={{ width: "100%", maxWidth: 1320, mx: "auto", px: { xs: 2, sm: 3 }, py: 3, outline: "none" }}
          >
            <Boundary key={location}>
              <Suspense fallback={<PageSkeleton />}>{children}</Suspense>
            </Boundary>
          </Box>
        </Box>
      </Box>
    </Announcer>
  );
}
