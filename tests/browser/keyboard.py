"""A person without a mouse, for browser tests: sees where the focus is at every key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

MOST_TABS = 120
# What is wrong with the place of the focus: none, no outline, or another part of the page over it.
STATE = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return "lost";
  const style = getComputedStyle(element), box = element.getBoundingClientRect();
  const name = (element.textContent || element.name || element.id).trim().slice(0, 40);
  if (element.matches("main, [tabindex='-1']")) return "";
  if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) return `no outline: ${name}`;
  if (box.bottom <= 0 || box.top >= innerHeight) return `out of sight: ${name}`;
  const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1);
  const y = Math.min(Math.max(box.top + Math.min(box.height / 2, 20), 0), innerHeight - 1);
  const over = document.elementFromPoint(x, y);
  if (over && over !== element && !element.contains(over) && !over.contains(element)
      && over.closest("label")?.control !== element) return `hidden: ${name} by ${over.className}`;
  return "";
}"""


class Keyboard:
    """Presses Tab, Enter, Space and arrows, counts them, and fails when the focus cannot be seen."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.presses = 0

    def press(self, key: str) -> None:
        """Press one key."""
        self.presses += 1
        self.page.keyboard.press(key)

    def go_to(self, selector: str, *, with_shift: bool = False) -> None:
        """Press Tab until the element has the focus. The way leads past the end of the page once."""
        for _n in range(MOST_TABS):
            if self.page.evaluate("s => document.activeElement.matches(s)", selector):
                return
            self.press("Shift+Tab" if with_shift else "Tab")
            state = self.page.evaluate(STATE)
            assert state in {"", "lost"}, state  # at the end of the page it is in the browser's own bar
        raise AssertionError(f"{selector} cannot be reached by keyboard")

    def type(self, selector: str, text: str) -> None:
        """Go to a field and write."""
        self.go_to(selector)
        self.page.keyboard.type(text)

    def choose(self, selector: str, value: str, *, with_shift: bool = False) -> None:
        """Go to a list or to radio buttons and press the arrow until they say what is wanted."""
        self.go_to(selector, with_shift=with_shift)
        for _n in range(30):
            if self.page.evaluate("document.activeElement.value") == value:
                return
            self.press("ArrowDown")
        raise AssertionError(f"{selector} has no {value}")

    def focus(self) -> Any:
        """What is wrong with the focus; empty when it can be seen."""
        return self.page.evaluate(STATE)
