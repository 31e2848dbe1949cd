use super::*;

const HEADER: &str = "Id,ActivityDate,TotalSteps,TotalDistance,TrackerDistance,LoggedActivitiesDistance,VeryActiveDistance,ModeratelyActiveDistance,LightActiveDistance,SedentaryActiveDistance,VeryActiveMinutes,FairlyActiveMinutes,LightlyActiveMinutes,SedentaryMinutes,Calories";

fn rows(lines: &[&str]) -> Vec<Row> {
    read(format!("{HEADER}\n{}\n", lines.join("\n")).as_bytes()).expect("the header is right")
}

fn reason(line: &str) -> String {
    rows(&[line]).remove(0).content.expect_err("the row is malformed")
}

#[test]
fn a_row_becomes_a_day() {
    let row = rows(&["1503960366,4/12/2016,13162,8.5,8.5,0,1.88,0.55,6.06,0,25,13,328,728,1985"]).remove(0);
    let day = NaiveDate::from_ymd_opt(2016, 4, 12).expect("a day");
    assert_eq!(row.line, 2);
    assert_eq!(
        row.content,
        Ok(DayFigures { person: "1503960366".to_owned(), day, steps: 13162, active_minutes: 366, calories_kcal: 1985 })
    );
}

#[test]
fn each_malformed_row_is_refused_alone_with_its_line_and_reason() {
    let all = rows(&["1,4/12/2016,1,,,,,,,,1,1,1,1,1", "1,4/13/2016,1", "1,4/14/2016,7,,,,,,,,1,1,1,1,1"]);
    assert_eq!(all.iter().map(|row| (row.line, row.content.is_ok())).collect::<Vec<_>>(), [(2, true), (3, false), (4, true)]);
    assert!(reason("1,4/12/2016,1").contains("3 fields"));
    assert!(reason("1,13/40/2016,1,,,,,,,,1,1,1,1,1").contains("ActivityDate"));
    assert!(reason("1,2016-04-12,1,,,,,,,,1,1,1,1,1").contains("ActivityDate"));
    assert!(reason("1,4/12/16,1,,,,,,,,1,1,1,1,1").contains("ActivityDate"));
    assert!(reason("1,4/12/2016,-1,,,,,,,,1,1,1,1,1").contains("TotalSteps"));
    assert!(reason("1,4/12/2016,1.5,,,,,,,,1,1,1,1,1").contains("TotalSteps"));
    assert!(reason("1,4/12/2016,1,,,,,,,,1,1,x,1,1").contains("LightlyActiveMinutes"));
    assert!(reason("1,4/12/2016,1,,,,,,,,1,1,1,1,").contains("Calories"));
    assert!(reason(" ,4/12/2016,1,,,,,,,,1,1,1,1,1").contains("Id"));
    assert!(reason("a b,4/12/2016,1,,,,,,,,1,1,1,1,1").contains("Id"));
    assert!(reason(&format!("{},4/12/2016,1,,,,,,,,1,1,1,1,1", "9".repeat(81))).contains("Id"));
}

#[test]
fn a_repeat_passes_and_a_contradiction_does_not() {
    let line = "1,4/12/2016,100,,,,,,,,1,1,1,1,1";
    let all = rows(&[line, line, "1,4/12/2016,200,,,,,,,,1,1,1,1,1"]);
    assert!(all[0].content.is_ok() && all[1].content.is_ok());
    assert!(all[2].content.as_ref().is_err_and(|reason| reason.contains("line 2")));
}

#[test]
fn a_file_of_another_kind_is_refused_whole() {
    let error = read("Id,SleepDay,TotalSleepRecords\n1,4/12/2016,1\n".as_bytes()).expect_err("no such column");
    assert!(matches!(error, FileError::Column("ActivityDate")));
    assert!(read("".as_bytes()).is_err());
}

#[test]
fn a_row_that_is_not_text_is_refused_alone() {
    let mut file = format!("{HEADER}\n").into_bytes();
    file.extend_from_slice(b"\xff\xfe,4/12/2016,1,,,,,,,,1,1,1,1,1\n1,4/12/2016,1,,,,,,,,1,1,1,1,1\n");
    let all = read(file.as_slice()).expect("the header is right");
    assert_eq!(all.iter().map(|row| row.content.is_ok()).collect::<Vec<_>>(), [false, true]);
}
